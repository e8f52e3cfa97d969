// SPDX-License-Identifier: GPL-2.0-or-later
//
// The commands that change nothing.  They throw Fault.

#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/command/exit_code.h"

namespace mxfeed {

struct CheckOptions {
  std::filesystem::path config;
  std::filesystem::path state;
  std::optional<std::filesystem::path> postfix_config;  // nothing: do not ask Postfix
  bool json = false;
};

// Checks the configuration and, if it has no errors, an attached Postfix for dangers.
ExitCode check(const CheckOptions& options);

// Shows the settings of a domain; if it is no longer configured, tells what the
// generation in force does with it.
ExitCode show(const std::filesystem::path& config, const std::filesystem::path& state,
              const std::string& domain, bool json);
ExitCode list_generations(const std::filesystem::path& state, bool json);

}  // namespace mxfeed
