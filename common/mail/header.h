// SPDX-License-Identifier: GPL-2.0-or-later
//
// Header fields as text (RFC 5322).  Both functions take any bytes.  Pure, thread-safe;
// neither throws.

#pragma once

#include <string>
#include <string_view>

namespace mxfeed {

// Whether `name` is a valid name of a header field (RFC 5322, 2.2): one or more printable
// ASCII characters, no colon, no space.
bool is_field_name(std::string_view name);

// The value without its line breaks and without white space at both ends; the white space
// of a fold stays (RFC 5322, 2.2.3).
std::string unfold(std::string_view value);

}  // namespace mxfeed
