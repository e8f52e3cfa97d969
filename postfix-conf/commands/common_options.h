// SPDX-License-Identifier: GPL-2.0-or-later
//
// Options that several commands have, and what they stand for.

#pragma once

#include <filesystem>

#include "common/command/command.h"

namespace mxfeed {

inline constexpr Option kDryRun = {"--dry-run", "",
                                   "Print what would change, but change nothing"};
inline constexpr Option kPostfixConfig = {"--postfix-config", "DIR",
                                          "Directory of Postfix's main.cf",
                                          Takes::directory, "/etc/postfix"};
inline constexpr Option kRate = {"--rate", "N", "Messages a second", Takes::number, "50"};

// The directory of main.cf, absolute.
std::filesystem::path postfix_config_of(const Arguments& arguments);

// The directory of --config; throws CommandError if it does not exist.
std::filesystem::path configuration_of(const Arguments& arguments);

}  // namespace mxfeed
