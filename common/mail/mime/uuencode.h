// SPDX-License-Identifier: GPL-2.0-or-later
//
// uuencode (POSIX), line by line.  Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mxfeed::mime {

// The name in "begin 644 name"; nothing for any other line.
std::optional<std::string_view> uu_begin(std::string_view text);

// Whether `text` is a line of data: only characters of the alphabet, as many as the first
// one says.  Spaces at the end may have been lost; one or two more characters may be a
// checksum.
bool is_uu_line(std::string_view text);

// Appends the bytes of such a line.
void uu_decode(std::string_view text, std::string& out);

}  // namespace mxfeed::mime
