// SPDX-License-Identifier: GPL-2.0-or-later
//
// What keeps the customers' servers out of the notices that Postfix writes to senders:
// bounces, delay warnings and reports of delivery.  Pure.

#pragma once

#include <string>
#include <vector>

namespace mxfeed {

// What stands in place of a server's name and address.
inline constexpr const char* kHiddenServer = "[recipient's server]";

// A line of a table for body_checks, see regexp_table(5).
struct NoticeRule {
  std::string pattern;  // an extended regular expression, without regard to case
  std::string action;   // "IGNORE", or "REPLACE text" with $1 and so on
};

// The first one that matches a line of a notice applies.
//
// A wrapped line begins with blanks, which REPLACE drops (cleanup(8)).  So what replaces
// it is a field, as it may be in the part that programs read (RFC 3464, 2.4): the
// Diagnostic-Code whose first line was ignored, or X-Reason.
std::vector<NoticeRule> notice_rules();

// The rules as the value of a parameter.
std::string notice_checks();

}  // namespace mxfeed
