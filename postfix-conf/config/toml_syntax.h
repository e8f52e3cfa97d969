// SPDX-License-Identifier: GPL-2.0-or-later
//
// Explains what an operator must correct in a file that is not TOML 1.0.

#pragma once

#include <cstdint>
#include <string_view>

#include "postfix-conf/config/encoding.h"

namespace mxfeed {

// The first mistake in a text that is UTF-8 but not TOML.  `line` is where the parser
// gave up; the result is never after it.
SyntaxError explain_syntax_error(std::string_view text, std::uint32_t line);

}  // namespace mxfeed
