// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mailbox.h"

#include <utility>

#include "common/base/text.h"
#include "common/mail/header.h"
#include "common/mail/words.h"

namespace mxfeed {

std::vector<Mailbox> parse_mailboxes(std::string_view value, std::size_t most) {
  const std::string text = unfold(value);
  std::vector<Mailbox> mailboxes;
  std::string words;    // outside of angle brackets
  std::string address;  // inside
  bool bracketed = false;
  const auto finish = [&] {
    Mailbox mailbox;
    if (bracketed) {
      mailbox.display = decode_words(words);
      mailbox.address = address;
    } else {
      for (const char c : words) {
        if (!is_space(c)) mailbox.address += c;
      }
    }
    if (!mailbox.address.empty() || !mailbox.display.empty()) {
      mailboxes.push_back(std::move(mailbox));
    }
    words.clear();
    address.clear();
    bracketed = false;
  };
  bool quoted = false;
  bool in_brackets = false;
  unsigned comment = 0;
  for (std::size_t i = 0; i < text.size() && mailboxes.size() < most; ++i) {
    const char c = text[i];
    if (c == '\\' && (quoted || comment > 0) && i + 1 < text.size()) {
      ++i;
      if (quoted && comment == 0) (in_brackets ? address : words) += text[i];
    } else if (comment > 0) {
      if (c == '(') ++comment;
      if (c == ')') --comment;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      (in_brackets ? address : words) += c;
    } else if (c == '(') {
      ++comment;
    } else if (in_brackets) {
      if (c == '>') {
        in_brackets = false;
      } else if (!is_space(c)) {
        address += c;
      }
    } else if (c == '<') {
      in_brackets = bracketed = true;
    } else if (c == ',' || c == ';') {
      finish();
    } else if (c == ':' && !bracketed) {
      words.clear();  // the name of a group
    } else {
      words += c;
    }
  }
  if (mailboxes.size() < most) finish();
  return mailboxes;
}

}  // namespace mxfeed
