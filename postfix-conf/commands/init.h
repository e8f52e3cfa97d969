// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed init`: a first configuration for this host.

#pragma once

#include <filesystem>

#include "common/command/exit_code.h"

namespace mxfeed {

struct InitOptions {
  std::filesystem::path config;          // --config, absolute
  std::filesystem::path state;           // --state, absolute
  std::filesystem::path postfix_config;  // --postfix-config, absolute
};

// Writes mxfeed.toml and domains.d/example.toml, unless there are such files, and prints
// what is missing and what to do next.  Throws Fault.
ExitCode init(const InitOptions& options);

}  // namespace mxfeed
