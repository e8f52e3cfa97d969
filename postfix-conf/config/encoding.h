// SPDX-License-Identifier: GPL-2.0-or-later
//
// Checks that a file is UTF-8, as TOML must be.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mxfeed {

// Why a file is not TOML.
struct SyntaxError {
  std::uint32_t line = 0;  // 0: the file as a whole
  std::string cause;       // printable
};

// The first byte that is not UTF-8, or the other encoding of the whole text.  A byte
// order mark of UTF-8 is allowed.
std::optional<SyntaxError> find_encoding_error(std::string_view text);

}  // namespace mxfeed
