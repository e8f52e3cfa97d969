// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lists of tags: "v=1; d=example.org; s=mail" (RFC 6376, 3.2), as DKIM and ARC write
// them. Takes any bytes, in linear time.  Pure, thread-safe.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mxfeed {

// The value of the first tag of that name, white space removed; nothing if there is none.
// Names are told apart by case.
std::optional<std::string> tag_value(std::string_view list, std::string_view name);

}  // namespace mxfeed
