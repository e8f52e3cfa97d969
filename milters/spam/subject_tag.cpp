// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/subject_tag.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/mail/words.h"

namespace mxfeed::spam {
namespace {

constexpr std::size_t kLongLine = 900;  // RFC 5322, 2.1.1: 998 with name and CRLF

// Lower-case letters without any white space: what two subjects are compared by.
std::string folded_letters(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (!is_space(c)) out += ascii_lower(c);
  }
  return out;
}

}  // namespace

bool subject_has_tag(std::string_view subject, std::string_view tag) {
  return folded_letters(decode_words(subject))
      .starts_with(folded_letters(decode_words(tag)));
}

std::optional<std::string> tagged_subject(const std::optional<std::string>& subject,
                                          std::string_view tag) {
  if (trim(tag).empty()) return std::nullopt;
  const bool ascii = std::all_of(tag.begin(), tag.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x80;
  });
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
    while (text.ends_with(' ')) text.pop_back();
    text += "\n ";
  }
  return text + rest;
}

}  // namespace mxfeed::spam
