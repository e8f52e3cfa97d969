// SPDX-License-Identifier: GPL-2.0-or-later
//
// Base64 (RFC 4648, 4; RFC 2045, 6.8).  Each decoder decides how much malformed input it
// accepts.

#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace mxfeed {

inline constexpr std::string_view kBase64Alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// By character.  Not in the function: it would be made anew for each call.
inline constexpr std::array<signed char, 256> kBase64Digits = [] {
  std::array<signed char, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < kBase64Alphabet.size(); ++i) {
    table[static_cast<unsigned char>(kBase64Alphabet[i])] = static_cast<signed char>(i);
  }
  return table;
}();

// The value of a character of the alphabet; -1 for any other character.
constexpr int base64_digit(char c) {
  return kBase64Digits[static_cast<unsigned char>(c)];
}

// Encodes with padding, on one line.
std::string base64(std::string_view bytes);

}  // namespace mxfeed
