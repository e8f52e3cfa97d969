// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/local_session.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/base/fault.h"
#include "common/base/unix_socket.h"

namespace mxfeed::smtp {

LocalSession::LocalSession(std::string_view doing, const std::filesystem::path& socket,
                           std::chrono::seconds patience)
    : doing_(doing), socket_(socket.string()) {
  auto fd = connect_unix(doing_, socket, SOCK_STREAM, patience);
  if (!fd) fail("timed out");
  fd_ = *std::move(fd);
  const timeval wait{patience.count(), 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  const auto greeting = read_reply();
  if (!greeting.is_positive()) fail(greeting.text());
}

LocalSession::~LocalSession() {
  if (fd_) send_all(fd_.get(), "QUIT\r\n");
}

Reply LocalSession::command(std::string_view line) {
  send(std::string(line) + "\r\n");
  return read_reply();
}

void LocalSession::greet(std::string_view line) {
  const auto reply = command(line);
  if (!reply.is_positive()) fail(reply.text());
}

void LocalSession::send(std::string_view octets) {
  if (!fd_) fail("the session is over");
  if (!send_all(fd_.get(), octets)) fail(errno_text(errno));
}

Reply LocalSession::read_reply() {
  for (;;) {
    auto parsed = parse_reply(received_);
    switch (parsed.state) {
      case ParsedReply::State::whole:
        received_.erase(0, parsed.used);
        return std::move(parsed.reply);
      case ParsedReply::State::malformed:
        fail(parsed.problem);
      case ParsedReply::State::partial:
        break;
    }
    std::array<char, 4096> buffer;
    const auto got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(errno == EAGAIN ? "timed out" : errno_text(errno));
    if (got == 0) fail("it closed the connection");
    received_.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

void LocalSession::fail(std::string_view cause) {
  fd_.reset();
  throw Fault(doing_, socket_, std::string(cause));
}

}  // namespace mxfeed::smtp
