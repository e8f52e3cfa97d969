// SPDX-License-Identifier: GPL-2.0-or-later
//
// The changes from one generation to the next, for `mxfeed apply --diff`.

#pragma once

#include <string>
#include <vector>

#include "postfix-conf/generate/rows.h"

namespace mxfeed {

// One line for each: "+ a.example: ...", "- b.example: ...", "~ c.example: route ...".
std::vector<std::string> differences(const Generated& next, const Generated& previous);

}  // namespace mxfeed
