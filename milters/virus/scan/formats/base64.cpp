// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/base64.h"

#include <cstdint>

#include "common/base/text.h"

namespace mxfeed::virus {
namespace {

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (is_digit(c)) return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

}  // namespace

std::string decode_base64(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    const int value = value_of(c);
    if (value < 0) continue;
    group = group << 6 | static_cast<unsigned>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    decoded += static_cast<char>(group >> bits & 0xff);
  }
  return decoded;
}

}  // namespace mxfeed::virus
