// SPDX-License-Identifier: GPL-2.0-or-later
//
// uuencode (POSIX), line by line.  Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mxfeed::mime {

// The name in "begin 644 name"; nothing if it is another line.
std::optional<std::string_view> uu_begin(std::string_view text);

// Whether it is a line of data: every character of the alphabet, and as many as the first
// one says; spaces at the end may have been lost, one or two may stand in for a checksum.
bool is_uu_line(std::string_view text);

// Appends the bytes of such a line.
void uu_decode(std::string_view text, std::string& out);

}  // namespace mxfeed::mime
