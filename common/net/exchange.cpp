// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/base/fault.h"
#include "common/base/file.h"

namespace mxfeed {
namespace {

using Instant = std::chrono::steady_clock::time_point;

class Client {
 public:
  Client(const ServerAddress& server, Instant deadline)
      : peer_(server.str()), deadline_(deadline) {
    sockaddr_storage address{};
    const socklen_t size = fill(server, address);
    socket_ =
        Fd(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket_) fail("make a socket");
    if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0)
      return;
    // A unix socket whose queue is full says EAGAIN and cannot be waited for.
    if (errno != EINPROGRESS) fail("connect");
    wait("connect", POLLOUT);
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) throw Fault("connect", peer_, errno_text(error));
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno == EAGAIN) {
        wait("send", POLLOUT);
      } else if (errno != EINTR) {
        fail("send");
      }
    }
    ::shutdown(socket_.get(), SHUT_WR);
  }

  std::string receive(std::size_t most) {
    std::string answer;
    std::array<char, 8192> buffer;
    for (;;) {
      const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (got == 0) return answer;
      if (got > 0) {
        answer.append(buffer.data(), static_cast<std::size_t>(got));
        if (answer.size() > most) throw Fault("read", peer_, "the answer is too long");
      } else if (errno == EAGAIN) {
        wait("read", POLLIN);
      } else if (errno != EINTR) {
        fail("read");
      }
    }
  }

 private:
  static socklen_t fill(const ServerAddress& server, sockaddr_storage& address) {
    if (server.is_unix()) {
      auto& to = reinterpret_cast<sockaddr_un&>(address);
      to.sun_family = AF_UNIX;
      server.host().copy(to.sun_path, sizeof to.sun_path - 1);
      return sizeof to;
    }
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    if (::inet_pton(AF_INET, server.host().c_str(), &v4.sin_addr) == 1) {
      v4.sin_family = AF_INET;
      v4.sin_port = htons(server.port());
      return sizeof v4;
    }
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    ::inet_pton(AF_INET6, server.host().c_str(), &v6.sin6_addr);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(server.port());
    return sizeof v6;
  }

  [[noreturn]] void fail(const char* doing) const {
    throw Fault(doing, peer_, errno_text(errno));
  }

  void wait(const char* doing, short events) const {
    pollfd watched{socket_.get(), events, 0};
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          deadline_ - std::chrono::steady_clock::now());
      if (left.count() <= 0) throw Fault(doing, peer_, "timed out");
      const int ready = ::poll(&watched, 1, static_cast<int>(left.count()));
      if (ready > 0) return;
      if (ready < 0 && errno != EINTR) fail(doing);
    }
  }

  const std::string peer_;
  const Instant deadline_;
  Fd socket_;
};

}  // namespace

std::string exchange(const ServerAddress& server, std::string_view question,
                     std::size_t most, std::chrono::steady_clock::time_point deadline) {
  Client client(server, deadline);
  client.send(question);
  return client.receive(most);
}

}  // namespace mxfeed
