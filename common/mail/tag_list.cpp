// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/tag_list.h"

#include "common/base/text.h"

namespace mxfeed {

std::optional<std::string> tag_value(std::string_view list, std::string_view name) {
  for (const std::string_view tag : split(list, ';')) {
    const std::size_t equals = tag.find('=');
    if (equals == tag.npos || trim(tag.substr(0, equals)) != name) continue;
    std::string value;
    for (const char c : tag.substr(equals + 1)) {
      if (!is_space(c)) value += c;
    }
    return value;
  }
  return std::nullopt;
}

}  // namespace mxfeed
