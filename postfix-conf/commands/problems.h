// SPDX-License-Identifier: GPL-2.0-or-later
//
// What commands tell on standard error: progress and problems.

#pragma once

#include <filesystem>
#include <string>

#include "postfix-conf/config/config.h"

namespace mxfeed {

// load_config() with progress on a terminal.
Config load_config_shown(const std::filesystem::path& directory);

// A line on standard error.
void complain(const std::string& line);

// Errors and warnings; of warnings that are alike, the first few.
void print_problems(const Config& config);

}  // namespace mxfeed
