// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/subject_tags.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "common/base/text.h"

namespace mxfeed::spam {
namespace {

constexpr std::size_t kMostTag = 32;

bool names_spam(std::string_view tag) {
  static constexpr std::string_view kSpam = "spam";
  return std::search(tag.begin(), tag.end(), kSpam.begin(), kSpam.end(),
                     [](char a, char b) { return ascii_lower(a) == b; }) != tag.end();
}

// The length of the bracketed or starred word at the start; 0 if there is none.
std::size_t tag_length(std::string_view text) {
  static constexpr struct {
    char open, close;
  } kBrackets[] = {{'[', ']'}, {'{', '}'}, {'(', ')'}, {'<', '>'}};
  if (text.empty()) return 0;
  if (text.front() == '*') {
    const std::size_t word = text.find_first_not_of('*');
    if (word == text.npos) return 0;
    const std::size_t end = text.find('*', word);
    if (end == text.npos) return 0;
    return std::min(text.find_first_not_of('*', end), text.size());
  }
  const auto* const bracket =
      std::find_if(std::begin(kBrackets), std::end(kBrackets),
                   [&](const auto& one) { return one.open == text.front(); });
  if (bracket == std::end(kBrackets)) return 0;
  const std::size_t end = text.find(bracket->close);
  return end == text.npos ? 0 : end + 1;
}

}  // namespace

std::string_view without_verdicts(std::string_view subject) {
  for (;;) {
    const std::string_view text = trim(subject);
    const std::size_t length = tag_length(text.substr(0, kMostTag));
    if (length == 0 || !names_spam(text.substr(0, length))) return subject;
    subject = trim(text.substr(length));
  }
}

}  // namespace mxfeed::spam
