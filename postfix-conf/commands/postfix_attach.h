// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed postfix diff`, `attach`, `detach` and `status`.

#pragma once

#include <filesystem>

#include "common/command/exit_code.h"

namespace mxfeed {

struct AttachOptions {
  std::filesystem::path config;          // --config
  std::filesystem::path state;           // --state, absolute
  std::filesystem::path postfix_config;  // --postfix-config, absolute
  bool dry_run = false;
  bool json = false;
};

// Prints what attach would change.  Returns `differs` if it would change anything.
ExitCode show_postfix_diff(const AttachOptions& options);

// Makes Postfix use the generation in force.  Changes nothing if there is a conflict.
ExitCode attach_postfix(const AttachOptions& options);

// Removes domains and milters, and the rest when no mail waits for our domains.  Returns
// `try_later` until then.
ExitCode detach_postfix(const AttachOptions& options);

ExitCode show_postfix_status(const AttachOptions& options);

}  // namespace mxfeed
