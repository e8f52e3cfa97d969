// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/uuencode.h"

#include <algorithm>
#include <cstddef>

#include "common/base/base64.h"
#include "common/base/text.h"

namespace mxfeed::mime {
namespace {

constexpr std::string_view kXx =
    "+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

constexpr std::size_t kFullLine = 45;  // bytes

// Nothing for what is not in the alphabet.
std::optional<unsigned> value_of(char c, UuAlphabet alphabet) {
  if (alphabet == UuAlphabet::uu) return (static_cast<unsigned char>(c) - 32u) & 63u;
  const std::size_t value = kXx.find(c);
  if (value == std::string_view::npos) return std::nullopt;
  return static_cast<unsigned>(value);
}

}  // namespace

std::optional<UuBegin> uu_begin(std::string_view text) {
  UuBegin begin;
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  if (!istarts_with(text, "begin")) return std::nullopt;
  text.remove_prefix(5);
  if (istarts_with(text, "-base64")) {
    begin.base64 = true;
    text.remove_prefix(7);
  }
  if (text.empty() || !is_blank(text.front())) return std::nullopt;
  text = trim(text);
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits < 1 || digits > 6 || (digits < text.size() && !is_blank(text[digits]))) {
    return std::nullopt;
  }
  begin.name = trim(text.substr(digits));
  return begin;
}

bool is_uu_line(std::string_view text, UuAlphabet alphabet) {
  if (text.empty() || text.size() > 90) return false;
  bool plain = true;
  for (const char c : text) {
    if (c < ' ' || c > '~' || !value_of(c, alphabet)) return false;
    plain &= c <= '`';
  }
  const std::size_t bytes = *value_of(text.front(), alphabet);
  const std::size_t characters = (bytes + 2) / 3 * 4;
  const std::size_t have = text.size() - 1;
  if (bytes == 0 || have > characters + 2) return false;
  // A full line may have lost any number of blanks at its end, a shorter one some.
  const bool may_lack_blanks = plain && alphabet == UuAlphabet::uu;
  if (may_lack_blanks && bytes == kFullLine) return true;
  return may_lack_blanks ? have * 2 >= characters : have >= characters;
}

void uu_decode(std::string_view text, UuAlphabet alphabet, std::string& out) {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? value_of(text[i], alphabet).value_or(0) : 0;
  };
  std::size_t left = at(0);
  for (std::size_t i = 1; left > 0; i += 4) {
    const unsigned group = at(i) << 18 | at(i + 1) << 12 | at(i + 2) << 6 | at(i + 3);
    for (unsigned shift = 16; left > 0; shift -= 8) {
      out += static_cast<char>(group >> shift & 0xFF);
      --left;
      if (shift == 0) break;
    }
  }
}

bool is_base64_line(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (base64_digit(c) < 0 && c != '=') return false;
  }
  return true;
}

}  // namespace mxfeed::mime
