// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether a Postfix relays mail of anybody to anywhere, as far as its parameters tell
// without a look into tables.  Pure.

#pragma once

#include <string>
#include <vector>

#include "postfix-conf/postfix/settings.h"

namespace mxfeed {

// What opens it, a line each, with its place; empty if nothing does.
std::vector<std::string> open_relays(const PostfixSettings& settings);

}  // namespace mxfeed
