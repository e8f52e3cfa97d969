// SPDX-License-Identifier: GPL-2.0-or-later
//
// The date-time of a header field.  Pure, thread-safe; does not throw.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"

namespace mxfeed {

// A date-time of RFC 5322, 3.3, with the obsolete forms of 4.3 (two-digit years, zone
// names, comments); also without a weekday or seconds, with "-" between the parts of the
// date, and as asctime(3) writes it.  Nothing if it is none of these or the day does not
// exist.  Only the first 200 bytes are read.
std::optional<Time> parse_date(std::string_view value);

// "Fri, 27 Nov 2026 23:00:00 +0000" (RFC 5322, 3.3).
std::string format_date(Time time);

}  // namespace mxfeed
