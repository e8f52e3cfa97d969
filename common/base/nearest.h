// SPDX-License-Identifier: GPL-2.0-or-later
//
// "Did you mean": the known word that a misspelt one is nearest to.

#pragma once

#include <string_view>
#include <vector>

namespace mxfeed {

// The candidate that `given` was probably meant to be; empty if none is near.  Candidates
// are in lower case; `given` may be in any.
std::string_view nearest(std::string_view given,
                         const std::vector<std::string_view>& candidates);

}  // namespace mxfeed
