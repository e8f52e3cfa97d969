// SPDX-License-Identifier: GPL-2.0-or-later
//
// A TOML value without quotes: a number, a date, a time, true or false.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mxfeed {

// What is wrong with the text; nothing if it may be such a value.
std::optional<std::string> wrong_bare_value(std::string_view text);

// A part of a file for a message: printable, with its quotes, cut if it is long.
std::string as_written(std::string_view text);

}  // namespace mxfeed
