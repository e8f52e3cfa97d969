// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/quarantine/release_session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/base/unix_socket.h"
#include "postfix-conf/quarantine/released_content.h"

namespace mxfeed::quarantine {
namespace {

constexpr std::string_view kDoing = "release by Postfix";
// Postfix answers a message when its disk has it.
constexpr std::chrono::seconds kPatience{300};
constexpr std::size_t kPiece = 64 * 1024;

// "2.0.0 Ok: queued as 4Xyz"
std::string queue_id_of(const smtp::Reply& reply) {
  constexpr std::string_view kBefore = "queued as ";
  if (reply.lines.empty()) return {};
  const std::string_view text = reply.lines.back();
  const auto at = text.find(kBefore);
  if (at == std::string_view::npos) return {};
  std::string id;
  for (const char c : text.substr(at + kBefore.size())) {
    if (!is_letter(c) && !is_digit(c)) break;
    id += c;
  }
  return id;
}

}  // namespace

ReleaseSession::ReleaseSession(const std::filesystem::path& socket) : socket_(socket) {
  auto fd = connect_unix(kDoing, socket_, SOCK_STREAM, kPatience);
  if (!fd) throw Fault(kDoing, socket_.string(), "timed out");
  fd_ = *std::move(fd);
  const timeval patience{kPatience.count(), 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const auto greeting = read_reply();
  if (!greeting.is_positive()) throw Fault(kDoing, socket_.string(), greeting.text());
  const auto hello = command("EHLO localhost");
  if (!hello.is_positive()) throw Fault(kDoing, socket_.string(), hello.text());
}

ReleaseSession::~ReleaseSession() {
  if (fd_) send_all(fd_.get(), "QUIT\r\n");
}

Handover ReleaseSession::hand_over(const Item& item,
                                   const std::filesystem::path& content) {
  const Fd file(::open(content.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw Fault("read", content.string(), errno_text(errno));
  const auto refused = [&](const smtp::Reply& reply) {
    command("RSET");
    return Handover{Handover::Outcome::refused, "", reply.text()};
  };
  try {
    for (const auto& line : {fmt::format("MAIL FROM:<{}>{}{}", item.sender,
                                         item.eight_bit ? " BODY=8BITMIME" : "",
                                         item.smtputf8 ? " SMTPUTF8" : ""),
                             fmt::format("RCPT TO:<{}>", item.address.recipient),
                             fmt::format("RCPT TO:<{}>", receipt_address(item.receipt)),
                             std::string("DATA")}) {
      const auto reply = command(line);
      if (!reply.is_positive()) return refused(reply);
    }
    ReleasedContent outgoing;
    std::string piece(kPiece, '\0');
    for (;;) {
      const auto got = ::read(file.get(), piece.data(), piece.size());
      if (got < 0 && errno == EINTR) continue;
      // Without the final dot Postfix drops it.
      if (got < 0) throw Fault("read", content.string(), errno_text(errno));
      if (got == 0) break;
      send(outgoing.next({piece.data(), static_cast<std::size_t>(got)}));
    }
    send(outgoing.finish());
    const auto reply = read_reply();
    if (!reply.is_positive()) return {Handover::Outcome::refused, "", reply.text()};
    return {Handover::Outcome::taken, queue_id_of(reply), ""};
  } catch (const Fault& fault) {
    fd_.reset();
    return {Handover::Outcome::unknown, "", fault.what()};
  }
}

smtp::Reply ReleaseSession::command(const std::string& line) {
  send(line + "\r\n");
  return read_reply();
}

void ReleaseSession::send(std::string_view octets) {
  if (!fd_ || !send_all(fd_.get(), octets)) {
    throw Fault(kDoing, socket_.string(),
                fd_ ? errno_text(errno) : "the session is over");
  }
}

smtp::Reply ReleaseSession::read_reply() {
  for (;;) {
    auto parsed = smtp::parse_reply(received_);
    switch (parsed.state) {
      case smtp::ParsedReply::State::whole:
        received_.erase(0, parsed.used);
        return std::move(parsed.reply);
      case smtp::ParsedReply::State::malformed:
        throw Fault(kDoing, socket_.string(), parsed.problem);
      case smtp::ParsedReply::State::partial:
        break;
    }
    std::array<char, 4096> buffer;
    const auto got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Fault(kDoing, socket_.string(),
                  errno == EAGAIN ? "timed out" : errno_text(errno));
    }
    if (got == 0) throw Fault(kDoing, socket_.string(), "it closed the connection");
    received_.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace mxfeed::quarantine
