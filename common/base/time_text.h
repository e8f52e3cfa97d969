// SPDX-License-Identifier: GPL-2.0-or-later
//
// Points in time as text (RFC 3339).  Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"

namespace mxfeed {

// "2026-12-05T18:00:00+01:00", "2026-12-05 17:00Z": a date, a time and a zone; seconds
// may be missing, fractions of them are cut off.  Nothing without a zone, or if there is
// no such day or time.
std::optional<Time> parse_time(std::string_view text);

// In UTC, as parse_time() takes it: "2026-12-05T17:00:00Z".
std::string format_time(Time time);

}  // namespace mxfeed
