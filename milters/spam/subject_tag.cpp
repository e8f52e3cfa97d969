// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/subject_tag.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/mail/charset.h"
#include "common/mail/header.h"
#include "common/mail/words.h"

namespace mxfeed::spam {
namespace {

constexpr std::size_t kLongLine = 900;  // RFC 5322, 2.1.1: 998 with name and CRLF

// The encoded word at the start of the text if every mail program decodes it: it conforms
// to RFC 2047, is separated from what follows, and its charset is known to all.
std::optional<EncodedWord> plain_word(std::string_view text) {
  auto word = encoded_word(text);
  if (!word || !word->conforms) return std::nullopt;
  const std::string_view rest = text.substr(word->length);
  if (!rest.empty() && !is_blank(rest.front())) return std::nullopt;
  for (const char* charset : {"utf-8", "us-ascii", "iso-8859-1"}) {
    if (word->charset == charset) return word;
  }
  return std::nullopt;
}

// What every reader sees at the start of the subject: at least `most` bytes, if there are
// that many.
std::string shown_start(std::string_view subject, std::size_t most) {
  const std::string unfolded = unfold(subject);
  std::string_view rest = unfolded;
  std::string shown;
  while (!rest.empty() && shown.size() < most) {
    if (const auto word = plain_word(rest)) {
      shown += to_utf8(word->bytes, word->charset);
      rest.remove_prefix(word->length);
      // White space between encoded words is not shown.
      const std::size_t blanks = std::min(rest.find_first_not_of(" \t"), rest.size());
      if (plain_word(rest.substr(blanks))) rest.remove_prefix(blanks);
      continue;
    }
    // Up to and including the next blanks: an encoded word can only begin after a blank.
    const std::size_t word = std::min(rest.find_first_of(" \t"), rest.size());
    const std::size_t next = std::min(rest.find_first_not_of(" \t", word), rest.size());
    shown += rest.substr(0, next);
    rest.remove_prefix(next);
  }
  return shown;
}

}  // namespace

bool subject_has_tag(std::string_view subject, std::string_view tag) {
  tag.remove_prefix(std::min(tag.find_first_not_of(' '), tag.size()));
  const std::string shown = shown_start(subject, tag.size() + 1);
  return shown.starts_with(tag) || shown == trim(tag) || unfold(subject).starts_with(tag);
}

std::optional<std::string> tagged_subject(const std::optional<std::string>& subject,
                                          std::string_view tag) {
  if (trim(tag).empty()) return std::nullopt;
  tag.remove_prefix(tag.find_first_not_of(' '));
  const bool ascii = ascii_length(tag) == tag.size();
  std::string text = ascii ? std::string(tag) : encode_words(tag);
  if (!subject || trim(*subject).empty()) return std::string(trim(text));
  if (subject_has_tag(*subject, tag)) return std::nullopt;
  std::string rest(trim(*subject));
  // Postfix would keep a CR in the field.
  std::erase(rest, '\r');
  const bool joins_word = rest.starts_with("=?") || !ascii;
  if (joins_word && text.back() != ' ') text += ' ';
  const std::size_t first_line = std::min(rest.find('\n'), rest.size());
  if (text.size() + first_line > kLongLine) {
    // The blank of the fold stays part of the subject (RFC 5322, 2.2.3).
    if (text.back() == ' ') text.pop_back();
    text += "\n ";
  }
  return text + rest;
}

}  // namespace mxfeed::spam
