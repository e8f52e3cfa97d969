// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed queue`: what waits in Postfix's queue.  Functions throw Fault.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/command/exit_code.h"

namespace mxfeed {

struct QueueOptions {
  std::filesystem::path config;          // --config
  std::filesystem::path state;           // --state, absolute
  std::filesystem::path postfix_config;  // --postfix-config, absolute
  bool json = false;
};

// What waits, by domain; or, for a domain and the names below it, by message.
ExitCode show_queue(const QueueOptions& options, const std::string& domain);

// Messages a second, by default.
inline constexpr std::uint64_t kFlushRate = 50;

// Has Postfix try the deferred mail for the domain, and the names below it, again: that
// many messages a second, so that other mail is not delayed.
ExitCode flush_queue(const QueueOptions& options, const std::string& domain,
                     std::uint64_t rate);

}  // namespace mxfeed
