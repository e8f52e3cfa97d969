// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/boundary.h"

#include <algorithm>
#include <cstddef>

#include "common/base/text.h"
#include "common/mail/mime/fields.h"
#include "common/mail/words.h"

namespace mxfeed::mime {
namespace {

constexpr std::size_t kMaxVariant = 250;  // bytes
constexpr std::size_t kMaxPlaces = 40;    // of the word "boundary" in a field

std::string without(std::string_view text, std::string_view characters) {
  std::string out(text);
  std::erase_if(out,
                [&](char c) { return characters.find(c) != std::string_view::npos; });
  return out;
}

// What stands before the first of these characters.
std::string_view before(std::string_view text, std::string_view characters) {
  return text.substr(0, text.find_first_of(characters));
}

// The place of "boundary" in any case of letters from `from` on.
std::size_t find_word(std::string_view text, std::size_t from) {
  constexpr std::string_view kWord = "boundary";
  for (; from + kWord.size() <= text.size(); ++from) {
    if (istarts_with(text.substr(from), kWord)) return from;
  }
  return std::string_view::npos;
}

}  // namespace

void Boundaries::add(std::string_view boundary) {
  boundary = without_trailing_blanks(boundary);
  if (std::find(boundaries_.begin(), boundaries_.end(), boundary) != boundaries_.end()) {
    return;
  }
  if (boundaries_.size() == kMost) {
    too_many_ = true;
  } else {
    boundaries_.emplace_back(boundary);
  }
}

void Boundaries::add_variant(std::string_view boundary) {
  if (!boundary.empty() && boundary.size() <= kMaxVariant) add(boundary);
}

void Boundaries::add_variants(std::string_view field) {
  std::size_t at = 0;
  for (std::size_t places = 0; places < kMaxPlaces; ++places) {
    at = find_word(field, at);
    if (at == std::string_view::npos) return;
    at += std::string_view("boundary").size();
    // "boundary*0*" (RFC 2231), blanks and NULs before the "=".
    std::size_t equals = at;
    while (equals < field.size() && (field[equals] == '*' || is_digit(field[equals]) ||
                                     is_space(field[equals]) || field[equals] == '\0')) {
      ++equals;
    }
    if (equals == field.size() || field[equals] != '=') continue;
    const std::string_view value = field.substr(equals + 1, 2 * kMaxVariant);
    add_raw(value);
    const std::string_view trimmed = trim(value);
    if (trimmed.size() != value.size()) add_raw(trimmed);
  }
  too_many_ = true;
}

// `value` is all that stands behind the "=".
void Boundaries::add_raw(std::string_view value) {
  const auto add_with_nul = [&](std::string_view found) {
    add_variant(found);
    if (found.find('\0') == std::string_view::npos) return;
    using std::string_view_literals::operator""sv;
    add_variant(before(found, "\0"sv));
    add_variant(without(found, "\0"sv));
  };
  const auto add_with_blanks = [&](std::string_view found) {
    add_with_nul(found);
    add_with_nul(trim(found));
    add_with_nul(decode_words(found));
  };
  if (value.starts_with('"') || value.starts_with('\'')) {
    const char quote = value.front();
    const std::string_view inner = value.substr(1);
    const std::string_view quoted = before(inner, std::string_view(&quote, 1));
    const bool closed = quoted.size() < inner.size();
    if (closed) {
      add_with_blanks(quoted);
      if (quoted.find('\\') != std::string_view::npos) {
        add_with_blanks(without(quoted, "\\"));
      }
      // More quotes follow: some programs take only the outer ones off, or all.
      const std::string_view more = before(inner.substr(quoted.size()), "; \t\r\n");
      if (more.size() > 1) {
        add_with_nul(without(quoted, "\"") + without(more, "\""));
        if (more.ends_with('"')) {
          add_with_nul(inner.substr(0, quoted.size() + more.size() - 1));
        }
      }
    }
    if (!closed || quote == '\'') {
      add_with_blanks(before(inner, ";"));
      add_with_blanks(before(inner, "; \t\r\n"));
      add_with_blanks(before(value, ";"));
      add_with_blanks(before(value, "; \t\r\n"));
    }
    return;
  }
  const std::string_view parameter = before(value, ";");
  const std::string_view word = before(value, "; \t\r\n");
  add_with_blanks(parameter);
  add_with_nul(word);
  for (const std::string_view one : {parameter, word}) {
    if (one.find('"') == std::string_view::npos) continue;
    add_with_nul(trim(without(one, "\"")));
    add_with_nul(before(one, "\""));
  }
  if (word.find_first_of(",()") != std::string_view::npos) {
    add_with_nul(before(word, ",()"));
  }
}

}  // namespace mxfeed::mime
