// SPDX-License-Identifier: GPL-2.0-or-later
//
// The sub-commands that only look.  Each returns its exit status; throws Fault.

#pragma once

#include <filesystem>
#include <string>

namespace mxfeed {

int check(const std::filesystem::path& config);
int show(const std::filesystem::path& config, const std::string& domain, bool json);
int list_generations(const std::filesystem::path& state, bool json);

}  // namespace mxfeed
