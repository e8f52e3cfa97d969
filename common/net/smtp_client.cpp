// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/smtp_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include "common/base/fault.h"
#include "common/base/text.h"

namespace mxfeed::smtp {
namespace {

constexpr const char* kDoing = "talk to the mail server";
constexpr std::size_t kChunk = 4096;

// An address and port as the system calls take them.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  SocketAddress(const IpAddress& address, std::uint16_t port) {
    if (address.is_v4()) {
      sockaddr_in v4{};
      v4.sin_family = AF_INET;
      v4.sin_port = htons(port);
      ::inet_pton(AF_INET, address.str().c_str(), &v4.sin_addr);
      std::memcpy(&storage, &v4, sizeof v4);
      size = sizeof v4;
    } else {
      sockaddr_in6 v6{};
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(port);
      ::inet_pton(AF_INET6, address.str().c_str(), &v6.sin6_addr);
      std::memcpy(&storage, &v6, sizeof v6);
      size = sizeof v6;
    }
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

std::string name_of(const Target& target) {
  return fmt::format("[{}]:{}", target.address.str(), target.port);
}

}  // namespace

bool can_come_from(const IpAddress& source) {
  const Fd socket(
      ::socket(source.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress address(source, 0);
  return ::bind(socket.get(), address.get(), address.size) == 0;
}

Session::Session(const Target& target, Instant deadline)
    : peer_(name_of(target)), deadline_(deadline) {
  connect(target);
  greeting_ = read_reply();
  is_open_ = true;
}

Session::~Session() {
  if (!is_open_) return;
  try {
    send("QUIT\r\n");
  } catch (const Fault&) {
    // It knows that we are gone.
  }
}

void Session::connect(const Target& target) {
  const int family = target.address.is_v4() ? AF_INET : AF_INET6;
  socket_ = Fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto check = [&](bool is_good, const char* doing) {
    if (!is_good) throw Fault(doing, peer_, errno_text(errno));
  };
  check(socket_.get() >= 0, "make a socket");
  if (target.source) {
    const SocketAddress source(*target.source, 0);
    check(::bind(socket_.get(), source.get(), source.size) == 0, "bind");
  }
  const SocketAddress address(target.address, target.port);
  if (::connect(socket_.get(), address.get(), address.size) == 0) return;
  check(errno == EINPROGRESS, "connect");
  try {
    tls::wait_until(tls::Ready::to_write, socket_.get(), deadline_);
  } catch (const Fault& fault) {
    throw Fault("connect", peer_, fault.cause());
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) throw Fault("connect", peer_, errno_text(error));
}

Hello Session::hello(std::string_view name) {
  Hello hello{command(fmt::format("EHLO {}", name)), true};
  if (!hello.reply.is_positive()) {
    hello = {command(fmt::format("HELO {}", name)), false};
  }
  return hello;
}

Reply Session::start_tls(const std::string& name) {
  Reply reply = command("STARTTLS");
  if (!reply.is_positive()) return reply;
  // What came in clear text must not count as said under TLS.
  if (!received_.empty()) {
    throw Fault(kDoing, peer_, "it sent more than the reply to STARTTLS");
  }
  is_open_ = false;
  tls_ = std::make_unique<tls::Connection>(socket_.get(), name, deadline_);
  is_open_ = true;
  certificate_ = tls_->certificate();
  return reply;
}

Reply Session::command(std::string_view line) {
  if (line.find_first_of("\r\n") != std::string_view::npos) {
    throw Fault(kDoing, peer_, "a command with a line end in it");
  }
  send(fmt::format("{}\r\n", line));
  return read_reply();
}

Reply Session::data(std::string_view message) {
  std::string text;
  bool at_start = true;
  for (const char c : message) {
    if (at_start && c == '.') text += '.';
    text += c;
    at_start = c == '\n';
  }
  send(text + ".\r\n");
  return read_reply();
}

Reply Session::read_reply() {
  for (;;) {
    auto parsed = parse_reply(received_);
    if (parsed.state == ParsedReply::State::whole) {
      received_.erase(0, parsed.used);
      return std::move(parsed.reply);
    }
    std::string problem = std::move(parsed.problem);
    if (parsed.state == ParsedReply::State::partial) {
      char buffer[kChunk];
      const std::size_t got = receive(buffer, sizeof buffer);
      received_.append(buffer, got);
      if (got > 0) continue;
      problem = "it closed the connection";
    }
    is_open_ = false;
    throw Fault(kDoing, peer_, problem);
  }
}

// 0 at the end of the connection.
std::size_t Session::receive(char* buffer, std::size_t size) {
  try {
    if (tls_) return tls_->read(buffer, size, deadline_);
    for (;;) {
      const ssize_t got = ::recv(socket_.get(), buffer, size, 0);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno == EAGAIN) {
        tls::wait_until(tls::Ready::to_read, socket_.get(), deadline_);
      } else if (errno != EINTR) {
        throw Fault("", "", errno_text(errno));
      }
    }
  } catch (const Fault& fault) {
    is_open_ = false;
    throw Fault(kDoing, peer_, fault.cause());
  }
}

void Session::send(std::string_view bytes) {
  try {
    if (tls_) {
      tls_->write(bytes, deadline_);
      return;
    }
    while (!bytes.empty()) {
      const ssize_t sent =
          ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno == EAGAIN) {
        tls::wait_until(tls::Ready::to_write, socket_.get(), deadline_);
      } else if (errno != EINTR) {
        throw Fault("", "", errno_text(errno));
      }
    }
  } catch (const Fault& fault) {
    is_open_ = false;
    throw Fault(kDoing, peer_, fault.cause());
  }
}

}  // namespace mxfeed::smtp
