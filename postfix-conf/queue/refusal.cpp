// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/refusal.h"

#include "common/base/text.h"

namespace mxfeed {
namespace {

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_number(std::string_view& text) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  text.remove_prefix(digits);
  return digits > 0;
}

// "mail.acme.example[203.0.113.7]".
bool take_server(std::string_view& text) {
  const auto open = text.find_first_of("[ ");
  if (open == 0 || open == std::string_view::npos || text[open] != '[') return false;
  const auto close = text.find_first_of("] ", open);
  if (close == std::string_view::npos || text[close] != ']' || close == open + 1) {
    return false;
  }
  text.remove_prefix(close + 1);
  return true;
}

// smtp_trouble.c: "host mail.acme.example[203.0.113.7] said: 550 5.1.1 No such user (in
// reply to RCPT TO command)".
bool is_reply(std::string_view text) {
  if (!take(text, "host ") || !take_server(text) || !take(text, " said: 5")) return false;
  if (text.size() < 2 || !is_digit(text[0]) || !is_digit(text[1])) return false;
  return text.size() == 2 || text[2] == ' ' || text[2] == '-';
}

// smtp_proto.c: "message size 5000 exceeds size limit 4000 of server ...".
bool is_size_limit(std::string_view text) {
  return take(text, "message size ") && take_number(text) &&
         take(text, " exceeds size limit ") && take_number(text) &&
         take(text, " of server ") && take_server(text);
}

}  // namespace

bool is_refusal(std::string_view delay_reason) {
  // smtp_proto.c, too.
  return is_reply(delay_reason) || is_size_limit(delay_reason) ||
         delay_reason.starts_with("SMTPUTF8 is required, but was not offered by host ");
}

}  // namespace mxfeed
