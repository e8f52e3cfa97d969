// SPDX-License-Identifier: GPL-2.0-or-later
//
// Copies text without its white space.  Pure.

#pragma once

#include <cstddef>
#include <string_view>

namespace mxfeed::virus {

// What `to` must have room for beyond the text.
inline constexpr std::size_t kCopyMargin = 16;

// Copies all characters but white space (is_space()) to `to`, which has room for the text
// and kCopyMargin more; returns how many.  Large messages pass through here several
// times, so it uses what the processor has.
std::size_t copy_without_blanks(std::string_view text, char* to);

// The same on any processor.
std::size_t copy_without_blanks_plainly(std::string_view text, char* to);

}  // namespace mxfeed::virus
