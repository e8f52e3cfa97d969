// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lets the daemons take a generation.

#pragma once

#include <cstdint>
#include <filesystem>

#include "postfix-conf/commands/apply_report.h"

namespace mxfeed {

// Reports how each daemon is.  Returns whether each milter that runs has the generation.
bool reload_daemons(const std::filesystem::path& state, std::uint64_t number,
                    ApplyReport& report);

}  // namespace mxfeed
