// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed keeper run`: expires mail by the lifetime of its domain, and tells before.

#pragma once

#include <cstdint>
#include <filesystem>

#include "common/base/host_clock.h"
#include "common/command/exit_code.h"

namespace mxfeed {

struct KeeperOptions {
  std::filesystem::path config;          // --config
  std::filesystem::path state;           // --state, absolute
  std::filesystem::path postfix_config;  // --postfix-config, absolute
  std::uint64_t allow_expiry = 0;        // --allow-expiry
  bool dry_run = false;
};

// Returns 1 if it would have expired too many messages.  Does nothing if another run has
// not ended.  Throws Fault.
ExitCode run_keeper(const KeeperOptions& options, const HostClock& clock);

}  // namespace mxfeed
