// SPDX-License-Identifier: GPL-2.0-or-later
//
// A scan service that calls every message clean without looking at it: what is left is
// the cost of the milters and of the way to the scanner.
//
//   null_scan SOCKET-PATH [MILLISECONDS]
//
// With MILLISECONDS each scan takes so long, any number of them at a time.

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "common/base/file.h"
#include "common/base/notify.h"
#include "common/base/text.h"
#include "milters/virus/protocol/wire.h"

namespace mxfeed::virus {
namespace {

void answer(int client, std::chrono::milliseconds wait) {
  char request[kMaxRequest];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  iovec data{request, sizeof request};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (::recvmsg(client, &message, MSG_CMSG_CLOEXEC) <= 0) return;
  if (const cmsghdr* const header = CMSG_FIRSTHDR(&message);
      header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    ::close(fd);
  }
  std::this_thread::sleep_for(wait);
  ScanResult result;
  result.verdict = ScanVerdict::clean;
  const std::string clean = encode(result);
  ::send(client, clean.data(), clean.size(), MSG_NOSIGNAL);
}

int serve(const char* path, std::chrono::milliseconds wait) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof address.sun_path) return 2;
  std::strcpy(address.sun_path, path);
  ::unlink(path);
  const Fd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address),
             sizeof address) != 0 ||
      ::listen(listener.get(), 1024) != 0) {
    fmt::print(stderr, "null_scan: {}: cannot listen\n", path);
    return 1;
  }
  notify_manager("READY=1");
  const auto accept_all = [&] {
    for (;;) {
      Fd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) continue;
      if (wait.count() == 0) {
        answer(client.get(), wait);
        continue;
      }
      std::thread([wait, client = std::move(client)] {
        answer(client.get(), wait);
      }).detach();
    }
  };
  std::thread second(accept_all);
  accept_all();
  return 0;
}

}  // namespace
}  // namespace mxfeed::virus

int main(int argc, char** argv) {
  const auto wait = argc == 3 ? mxfeed::parse_unsigned(argv[2]) : 0;
  if (argc < 2 || argc > 3 || !wait) {
    fmt::print(stderr, "usage: null_scan SOCKET-PATH [MILLISECONDS]\n");
    return 2;
  }
  return mxfeed::virus::serve(argv[1], std::chrono::milliseconds(*wait));
}
