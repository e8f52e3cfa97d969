// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the output of postqueue(1).

#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/generate/compile.h"

namespace mxfeed {

// The addresses of the recipients in a line of `postqueue -j`, unescaped; nothing if the
// line is malformed.  Unknown members are skipped.
std::optional<std::vector<std::string>> queued_recipients(std::string_view line);

// The keys in `wanted` that match the recipient's domain.
std::vector<RelayKey> keys_of(std::string_view recipient,
                              const std::set<RelayKey>& wanted);

}  // namespace mxfeed
