// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/listeners.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/fault.h"
#include "common/base/file.h"

namespace mxfeed {
namespace {

// One that was opened just now has a low number.
constexpr rlim_t kMost = 1024;

}  // namespace

Listeners Listeners::find() {
  Listeners found;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return found;
  const int most = static_cast<int>(std::min(limit.rlim_cur, kMost));
  for (int fd = 0; fd < most; ++fd) {
    int listening = 0;
    socklen_t size = sizeof listening;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 &&
        listening != 0) {
      found.descriptors_.push_back(fd);
    }
  }
  return found;
}

bool Listeners::disable_nagle() const {
  bool found = false;
  for (const int fd : descriptors_) {
    const int on = 1;  // fails on a unix socket, which needs none
    if (::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0) found = true;
  }
  return found;
}

void Listeners::close() const {
  // The numbers must go on naming something: what never has anything to accept.
  const Fd silent(::eventfd(0, EFD_CLOEXEC));
  for (const int fd : descriptors_) {
    if (!silent || ::dup2(silent.get(), fd) < 0) {
      throw Fault("close listener", "milter", errno_text(errno));
    }
  }
}

}  // namespace mxfeed
