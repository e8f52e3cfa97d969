// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds the lines of a domain in the text of its file, for edits that leave all others as
// they are.  Pure.

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace mxfeed {

// A line as it is compared: without blanks and a comment at its end.
std::string_view bare_line(std::string_view line);

// Lines count from 1; `end` is behind the last one.
struct LineRange {
  std::uint32_t begin = 1, end = 1;
};

// From behind [[domain]] to the next domain or [customer]; `line` is one of the domain's.
LineRange lines_of_domain(const std::vector<std::string_view>& all, std::uint32_t line);

}  // namespace mxfeed
