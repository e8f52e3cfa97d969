// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/notify.h"

#include <sys/socket.h>

#include <cstdlib>
#include <exception>

#include "common/base/file.h"
#include "common/base/unix_socket.h"

namespace mxfeed {

void notify_manager(std::string_view state) noexcept {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || path[0] == '\0') return;
  try {
    const UnixAddress address(path);
    const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL, address.get(),
             address.size());
  } catch (const std::exception&) {  // the address is not valid
  }
}

}  // namespace mxfeed
