// SPDX-License-Identifier: GPL-2.0-or-later
//
// The configuration as commands read it: with progress and problems on standard error.

#pragma once

#include <filesystem>

#include "postfix-conf/config/config.h"

namespace mxfeed {

// load_config() with progress on a terminal.
Config load_config_shown(const std::filesystem::path& directory);

// Errors and warnings; of warnings that are alike, the first few.
void print_problems(const Config& config);

}  // namespace mxfeed
