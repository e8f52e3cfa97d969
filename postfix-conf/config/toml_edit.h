// SPDX-License-Identifier: GPL-2.0-or-later
//
// Changes one key in the text of a TOML file; every other byte stays.
//
// Lines count from 1.  Only lines that have one key and its whole value are changed, as
// an operator writes them.  Whether the new text means what it should is for the caller
// to check: a line of a multi-line string may look the same.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mxfeed {

// Replaces the value on a line "key = value"; a comment behind it stays.  Nothing if the
// line is another one.
std::optional<std::string> replace_value(std::string_view text, std::uint32_t line,
                                         std::string_view key, std::string_view value);

// Inserts a line "key = value" after a line "before = ...", indented like it and with the
// same line end.  Nothing if the line is another one.
std::optional<std::string> insert_value(std::string_view text, std::uint32_t line,
                                        std::string_view before, std::string_view key,
                                        std::string_view value);

}  // namespace mxfeed
