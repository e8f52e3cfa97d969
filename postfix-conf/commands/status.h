// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed status`.

#pragma once

#include <filesystem>
#include <optional>

#include "common/command/exit_code.h"

namespace mxfeed {

struct StatusOptions {
  std::filesystem::path config;                         // --config
  std::filesystem::path state;                          // --state
  std::optional<std::filesystem::path> postfix_config;  // nothing: --no-postfix
  bool json = false;
};

// Prints the state of all parts, and dangers on standard error; returns the exit code of
// the worst.
ExitCode show_status(const StatusOptions& options);

}  // namespace mxfeed
