// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/unsigned_reader.h"

namespace mxfeed::virus {
namespace {

// Moves `at` behind the number; false if there is none, or one that may overflow.
bool read_number(const char*& at, unsigned& value) noexcept {
  constexpr int kMostDigits = 9;
  const char* const begin = at;
  value = 0;
  for (; *at >= '0' && *at <= '9'; ++at) {
    if (at - begin == kMostDigits) return false;
    value = value * 10 + static_cast<unsigned>(*at - '0');
  }
  return at != begin;
}

// How many numbers it reads: 0 for another format.
int numbers_of(const char* format) noexcept {
  if (format[0] != '%' || format[1] != 'u') return 0;
  if (format[2] == '\0') return 1;
  const bool is_pair =
      format[2] == ',' && format[3] == '%' && format[4] == 'u' && format[5] == '\0';
  return is_pair ? 2 : 0;
}

}  // namespace

std::optional<Unsigneds> read_unsigneds(const char* text, const char* format) noexcept {
  const int wanted = numbers_of(format);
  Unsigneds read;
  if (wanted == 0 || !read_number(text, read.values[0])) return std::nullopt;
  read.count = 1;
  // Text that differs from the format ends it; what was read counts.
  if (wanted == 1 || *text != ',') return read;
  ++text;
  if (!read_number(text, read.values[1])) return std::nullopt;
  read.count = 2;
  return read;
}

}  // namespace mxfeed::virus
