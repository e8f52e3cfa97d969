// SPDX-License-Identifier: GPL-2.0-or-later
//
// What sscanf() reads with the formats "%u" and "%u,%u", in the common case: plain
// decimal numbers.

#pragma once

#include <optional>

namespace mxfeed::virus {

struct Unsigneds {
  int count = 0;  // of the values read: the result of sscanf()
  unsigned values[2] = {};
  bool operator==(const Unsigneds&) const = default;
};

// Exactly what the C library does, or nothing where that is to be asked: for any other
// format; for a number with a sign or blanks before it, or of more than nine digits,
// which may overflow; and where a number is missing.  Both are C strings.
std::optional<Unsigneds> read_unsigneds(const char* text, const char* format) noexcept;

}  // namespace mxfeed::virus
