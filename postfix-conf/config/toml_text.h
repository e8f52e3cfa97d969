// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes tables as TOML.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "postfix-conf/config/toml.h"

namespace mxfeed {

// A bare key, or one in quotes.
std::string toml_key(std::string_view key);

// The value on one line; a table becomes an inline table, with its keys in ascending
// order.  Nothing for a value with a date or time in it.
std::optional<std::string> toml_value(TomlNode value);

}  // namespace mxfeed
