// SPDX-License-Identifier: GPL-2.0-or-later
//
// Makes the daemons load a generation.

#pragma once

#include <cstdint>
#include <filesystem>

#include "postfix-conf/commands/apply_report.h"

namespace mxfeed {

// Reports the state of each daemon.  Returns whether every running milter has the
// generation.
bool reload_daemons(const std::filesystem::path& state, std::uint64_t number,
                    ApplyReport& report);

}  // namespace mxfeed
