// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/mailbox/stored_mail.h"

#include <algorithm>

#include "common/base/text.h"

namespace mxfeed {
namespace {

// Takes a field with the lines that continue it off the text; its value.  Nothing if the
// text begins with another one.
std::optional<std::string_view> take_field(std::string_view& text,
                                           std::string_view name) {
  if (!istarts_with(text, name) || !text.substr(name.size()).starts_with(':')) {
    return std::nullopt;
  }
  std::size_t end = 0;
  do {
    const auto line_end = text.find('\n', end);
    if (line_end == std::string_view::npos) return std::nullopt;
    end = line_end + 1;
  } while (end < text.size() && (text[end] == ' ' || text[end] == '\t'));
  const auto value = trim(text.substr(name.size() + 1, end - name.size() - 1));
  text.remove_prefix(end);
  return value;
}

}  // namespace

std::optional<StoredMail> parse_stored(std::string_view text) {
  std::string_view rest = text;
  const auto path = take_field(rest, "Return-Path");
  if (!path || path->size() < 2 || path->front() != '<' || path->back() != '>') {
    return std::nullopt;
  }
  // Missing if the message came for several mailboxes at once.
  take_field(rest, "Delivered-To");
  const auto received = take_field(rest, "Received");
  if (!received || received->find("with LMTP") == std::string_view::npos) {
    return std::nullopt;
  }
  StoredMail mail;
  mail.sender = path->substr(1, path->size() - 2);
  const bool is_plain = std::ranges::all_of(mail.sender, [](char c) {
    return static_cast<unsigned char>(c) >= ' ' && c != 127;
  });
  if (!is_plain) return std::nullopt;
  mail.begin = text.size() - rest.size();
  mail.is_copy = take_field(rest, kCopyField).has_value();
  return mail;
}

}  // namespace mxfeed
