// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/smtp_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/text.h"

namespace mxfeed::smtp {
namespace {

// "250", "250 text" or "250-text".
bool parse_line(std::string_view line, Reply& reply, bool& is_last) {
  constexpr std::size_t kCode = 3;
  if (line.size() < kCode || line[0] < '2' || line[0] > '5' || !is_digit(line[1]) ||
      !is_digit(line[2])) {
    return false;
  }
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  is_last = line.size() == kCode || line[kCode] == ' ';
  if (!is_last && line[kCode] != '-') return false;
  if (!reply.lines.empty() && code != reply.code) return false;
  reply.code = code;
  reply.lines.emplace_back(line.substr(std::min(kCode + 1, line.size())));
  return true;
}

ParsedReply malformed(std::string problem) {
  ParsedReply parsed;
  parsed.state = ParsedReply::State::malformed;
  parsed.problem = std::move(problem);
  return parsed;
}

std::string_view keyword_of(std::string_view line) {
  return line.substr(0, line.find(' '));
}

}  // namespace

std::string Reply::text() const {
  std::string all = std::to_string(code);
  for (const auto& line : lines) all += " " + escape_line(line);
  return all;
}

ParsedReply parse_reply(std::string_view received) {
  ParsedReply parsed;
  std::size_t at = 0;
  for (;;) {
    const auto end = received.find('\n', at);
    const auto length = std::min(end, received.size()) - at;
    if (length > ParsedReply::kMaxLine) return malformed("a line that is too long");
    if (end == std::string_view::npos) return parsed;
    auto line = received.substr(at, length);
    if (line.ends_with('\r')) line.remove_suffix(1);
    at = end + 1;
    bool is_last = false;
    if (line.find('\r') != std::string_view::npos ||
        !parse_line(line, parsed.reply, is_last)) {
      return malformed(fmt::format("not an SMTP reply: \"{}\"", escape_untrusted(line)));
    }
    if (is_last) {
      parsed.state = ParsedReply::State::whole;
      parsed.used = at;
      return parsed;
    }
    if (parsed.reply.lines.size() >= ParsedReply::kMaxLines) {
      return malformed("a reply of too many lines");
    }
  }
}

bool Hello::offers(std::string_view keyword) const {
  return is_extended && std::any_of(reply.lines.begin(), reply.lines.end(),
                                    [&](const std::string& line) {
                                      return iequals(keyword_of(line), keyword);
                                    });
}

std::optional<std::uint64_t> Hello::size() const {
  if (!is_extended) return std::nullopt;
  for (const auto& line : reply.lines) {
    const auto words = split(line, ' ');
    if (!iequals(words[0], "SIZE")) continue;
    return words.size() < 2 ? 0 : parse_unsigned(words[1]).value_or(0);
  }
  return std::nullopt;
}

}  // namespace mxfeed::smtp
