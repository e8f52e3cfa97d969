// SPDX-License-Identifier: GPL-2.0-or-later
//
// What an operator must correct in a file that is not TOML 1.0, in words.

#pragma once

#include <cstdint>
#include <string_view>

#include "postfix-conf/config/encoding.h"

namespace mxfeed {

// The first mistake in a text that is UTF-8 and not TOML; `line` is where the parser gave
// up, and the answer is never behind it.
SyntaxError explain_syntax_error(std::string_view text, std::uint32_t line);

}  // namespace mxfeed
