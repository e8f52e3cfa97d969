// SPDX-License-Identifier: GPL-2.0-or-later
//
// The sub-commands that only look.  They throw Fault.

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

// The configuration; if nothing is wrong with it, what is dangerous about a Postfix that
// is attached.
ExitCode check(const CheckOptions& options);

// Tells of a domain that is no longer configured what the generation in force does.
ExitCode show(const std::filesystem::path& config, const std::filesystem::path& state,
              const std::string& domain, bool json);
ExitCode list_generations(const std::filesystem::path& state, bool json);

}  // namespace mxfeed
