// SPDX-License-Identifier: GPL-2.0-or-later
//
// Character sets of mail, and UTF-8.  All input comes from senders: every function takes
// any bytes, in linear time.  Pure, thread-safe; none throws.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mxfeed {

// The bytes as valid UTF-8.  A byte order mark of UTF-16 or UTF-32 at the start overrides
// the charset and is dropped.  An unknown or absent charset is taken for UTF-8 if the
// bytes are valid UTF-8, else for windows-1252; what cannot be converted becomes U+FFFD.
std::string to_utf8(std::string_view bytes, std::string_view charset);

bool is_utf8(std::string_view bytes);

// Appends a code point as UTF-8; U+FFFD for a number that is not one.
void append_utf8(std::string& out, std::uint32_t point);

}  // namespace mxfeed
