// SPDX-License-Identifier: GPL-2.0-or-later
//
// The sub-commands that only look.  They throw Fault.

#pragma once

#include <filesystem>
#include <string>

#include "common/command/exit_code.h"

namespace mxfeed {

ExitCode check(const std::filesystem::path& config);
ExitCode show(const std::filesystem::path& config, const std::string& domain, bool json);
ExitCode list_generations(const std::filesystem::path& state, bool json);

}  // namespace mxfeed
