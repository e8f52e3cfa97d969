// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/domain_lines.h"

#include <algorithm>

#include "common/base/text.h"

namespace mxfeed {

std::string_view bare_line(std::string_view line) {
  return trim(line.substr(0, line.find('#')));
}

LineRange lines_of_domain(const std::vector<std::string_view>& all, std::uint32_t line) {
  const auto count = static_cast<std::uint32_t>(all.size());
  LineRange range;
  range.begin = std::min(line, count);
  while (range.begin > 1 && !bare_line(all[range.begin - 1]).starts_with("[[domain]]")) {
    --range.begin;
  }
  range.end = ++range.begin;
  while (range.end <= count) {
    const auto text = bare_line(all[range.end - 1]);
    if (text == "[[domain]]" || text == "[customer]") break;
    ++range.end;
  }
  return range;
}

}  // namespace mxfeed
