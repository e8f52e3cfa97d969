// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs the programs that print the recipients of domains with recipients =
// "command:NAME", and keeps the last good list of each domain below --state.

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "postfix-conf/config/config.h"

namespace mxfeed {

struct RecipientCommandsOptions {
  std::filesystem::path state;  // --state
  // How many recipients a list may lose, even if that is more than half of it.
  std::uint64_t allow_removals = 0;
  bool keep = true;  // store good lists
  // The domains whose commands are run, others are left out; if it is empty, all.
  std::function<bool(const std::string& domain)> is_due = {};
};

// Adds the lists to config.recipients.  A program that fails, is slow, prints no list or
// one that loses too many recipients is noted in config.warnings, and the domain has the
// last good list; without one, it is noted in config.errors.  A program has 50 s for each
// domain, all have five minutes; one that was slow is not run for another domain.
void run_recipient_commands(Config& config, const RecipientCommandsOptions& options);

std::set<std::string> domains_with_command(const Config& config);

// Removes the lists of all other domains.
void prune_recipient_lists(const std::filesystem::path& state,
                           const std::set<std::string>& domains);

// The domains whose last good list is older than `life`.
std::vector<std::string> stale_recipient_lists(const std::filesystem::path& state,
                                               Time now, std::chrono::seconds life);

}  // namespace mxfeed
