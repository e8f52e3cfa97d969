// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/quarantine/release_session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "postfix-conf/quarantine/released_content.h"

namespace mxfeed::quarantine {
namespace {

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

ReleaseSession::ReleaseSession(const std::filesystem::path& socket)
    : session_("release by Postfix", socket, kPatience) {
  session_.greet("EHLO localhost");
}

Handover ReleaseSession::hand_over(const Item& item,
                                   const std::filesystem::path& content) {
  const Fd file(::open(content.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw Fault("read", content.string(), errno_text(errno));
  const auto refused = [&](const smtp::Reply& reply) {
    session_.command("RSET");
    return Handover{Handover::Outcome::refused, "", reply.text()};
  };
  try {
    for (const auto& line : {fmt::format("MAIL FROM:<{}>{}{}", item.sender,
                                         item.eight_bit ? " BODY=8BITMIME" : "",
                                         item.smtputf8 ? " SMTPUTF8" : ""),
                             fmt::format("RCPT TO:<{}>", item.address.recipient),
                             fmt::format("RCPT TO:<{}>", receipt_address(item.receipt)),
                             std::string("DATA")}) {
      const auto reply = session_.command(line);
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
      session_.send(outgoing.next({piece.data(), static_cast<std::size_t>(got)}));
    }
    session_.send(outgoing.finish());
    const auto reply = session_.read_reply();
    if (!reply.is_positive()) return {Handover::Outcome::refused, "", reply.text()};
    return {Handover::Outcome::taken, queue_id_of(reply), ""};
  } catch (const Fault& fault) {
    session_.drop();
    return {Handover::Outcome::unknown, "", fault.what()};
  }
}

}  // namespace mxfeed::quarantine
