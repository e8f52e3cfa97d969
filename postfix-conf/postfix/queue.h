// SPDX-License-Identifier: GPL-2.0-or-later
//
// What postqueue(1) lists.

#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/generate/compile.h"

namespace mxfeed {

// The addresses of the recipients in a line of `postqueue -j`, unescaped; nothing if it
// is no such line.  Members that are not known are skipped.
std::optional<std::vector<std::string>> queued_recipients(std::string_view line);

// Of `wanted`, the keys that the recipient's domain falls under.
std::vector<RelayKey> keys_of(std::string_view recipient,
                              const std::set<RelayKey>& wanted);

}  // namespace mxfeed
