// SPDX-License-Identifier: GPL-2.0-or-later
//
// Text as it may stand in what a milter sends to Postfix.

#pragma once

#include <string>
#include <string_view>

namespace mxfeed {

// The text of an SMTP reply: printable ASCII (RFC 5321, 4.2.1), anything else becomes
// '?'. Postfix takes '%' for a format, so it is doubled.  At most 400 bytes of `text` are
// used: libmilter takes 980.
std::string reply_text(std::string_view text);

// The value of a header field, with the space after ':' if that is ours to send.  No
// value may begin another field: a line break is followed by a blank, CR and NUL are left
// out.
std::string field_value(std::string_view value, bool leading_space);

}  // namespace mxfeed
