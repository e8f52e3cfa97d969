// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/mailbox/copy_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "common/base/fault.h"

namespace mxfeed {
namespace {

constexpr std::string_view kDoing = "put copies into mailboxes";
constexpr std::chrono::seconds kPatience{30};
constexpr std::size_t kPiece = 64 * 1024;

// Dovecot takes no SMTPUTF8, and an odd sender is not worth the copy.
bool is_plain(std::string_view sender) {
  return std::ranges::all_of(
      sender, [](char c) { return c > ' ' && c < 127 && c != '<' && c != '>'; });
}

}  // namespace

CopySession::CopySession(const std::filesystem::path& socket)
    : session_(kDoing, socket, kPatience) {
  session_.greet("LHLO localhost");
}

std::optional<std::vector<std::string>> CopySession::put(
    std::string_view sender, const std::vector<std::string>& mailboxes,
    const MessageLines& lines) {
  session_.greet(fmt::format("MAIL FROM:<{}>", is_plain(sender) ? sender : ""));
  std::vector<std::string> answers;
  std::vector<std::size_t> taken;
  for (const auto& mailbox : mailboxes) {
    const auto reply = session_.command(fmt::format("RCPT TO:<{}>", mailbox));
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
