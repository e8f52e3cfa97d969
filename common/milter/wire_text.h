// SPDX-License-Identifier: GPL-2.0-or-later
//
// Makes text safe for what a milter sends to Postfix.

#pragma once

#include <string>
#include <string_view>

namespace mxfeed {

// The text of an SMTP reply: printable ASCII (RFC 5321, 4.2.1), anything else becomes
// '?'. Postfix takes '%' for a format, so it is doubled.  Only the first 400 bytes of
// `text` are used: libmilter refuses more than 980.
std::string reply_text(std::string_view text);

// The value of a header field, with the space after ':' if `leading_space`.  A value
// cannot begin another field: every line break is followed by a blank; CR and NUL are
// dropped.
std::string field_value(std::string_view value, bool leading_space);

}  // namespace mxfeed
