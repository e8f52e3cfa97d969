// SPDX-License-Identifier: GPL-2.0-or-later
//
// What commands print on standard error: progress and problems.

#pragma once

#include <filesystem>
#include <string>

#include "postfix-conf/config/config.h"
#include "postfix-conf/config/load.h"

namespace mxfeed {

// load_config(), showing progress on a terminal.
Config load_config_shown(const std::filesystem::path& directory,
                         const AskSource& ask = {});

// Prints a line on standard error.
void complain(const std::string& line);

// Prints errors and warnings; of equal warnings, only the first few.
void print_problems(const Config& config);

}  // namespace mxfeed
