// SPDX-License-Identifier: GPL-2.0-or-later
//
// The lists of `score` in [blocklists]: as they are written, or by the names of
// operators.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/policy/scored_list.h"

namespace mxfeed {

// The lists of an operator that we know, "spamhaus" for example; empty for another name.
std::vector<ScoredList> lists_of_operator(std::string_view name);

// "dnswl, mailspike, ..."
std::string known_operators();

}  // namespace mxfeed
