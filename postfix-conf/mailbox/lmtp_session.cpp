// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/mailbox/lmtp_session.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>

namespace mxfeed {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr std::size_t kPiece = 64 * 1024;

}  // namespace

LmtpSession::LmtpSession(std::string_view doing, const std::filesystem::path& socket)
    : session_(doing, socket, kPatience) {
  session_.greet("LHLO localhost");
}

std::optional<std::vector<std::string>> LmtpSession::deliver(const LmtpEnvelope& envelope,
                                                             const MessageLines& lines) {
  const auto sender = session_.command(
      fmt::format("MAIL FROM:<{}>{}", envelope.sender, envelope.parameters));
  if (!sender.is_positive()) {
    return std::vector<std::string>(envelope.recipients.size(), sender.text());
  }
  std::vector<std::string> answers;
  std::vector<std::size_t> taken;
  for (const auto& one : envelope.recipients) {
    const auto reply = session_.command(fmt::format("RCPT TO:<{}>", one));
    if (reply.is_positive()) taken.push_back(answers.size());
    answers.push_back(reply.is_positive() ? "" : reply.text());
  }
  if (taken.empty()) {
    session_.greet("RSET");
    return answers;
  }
  session_.greet("DATA");
  std::string pending;
  const bool is_whole = lines([&](std::string_view line) {
    if (line.starts_with('.')) pending += '.';  // RFC 5321, 4.5.2
    pending.append(line).append("\r\n");
    if (pending.size() < kPiece) return;
    session_.send(pending);
    pending.clear();
  });
  if (!is_whole) {
    // Without the final dot it is not taken.
    session_.drop();
    return std::nullopt;
  }
  session_.send(pending + ".\r\n");
  for (const std::size_t i : taken) {
    const auto reply = session_.read_reply();
    if (!reply.is_positive()) answers[i] = reply.text();
  }
  return answers;
}

}  // namespace mxfeed
