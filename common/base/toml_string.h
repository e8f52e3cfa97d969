// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace mxfeed {

// "text" as a basic string of TOML 1.0: quotes, backslashes and control characters are
// escaped.  The text must be UTF-8.
std::string toml_string(std::string_view text);

}  // namespace mxfeed
