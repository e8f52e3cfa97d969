// SPDX-License-Identifier: GPL-2.0-or-later
//
// Sub-commands that look at files instead of a stream from Postfix.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mxfeed::spam {

// The evidence, score and level of one message file, for a reader.  Throws Fault if it
// cannot be read.
std::string explain(const std::filesystem::path& file);

// How many messages of each directory get which level, with the default thresholds, and
// which evidence speaks how often.  Messages count as received when their topmost
// Received field says.  Throws Fault.
std::string evaluate(const std::vector<std::filesystem::path>& directories);

}  // namespace mxfeed::spam
