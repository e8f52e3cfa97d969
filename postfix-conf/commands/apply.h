// SPDX-License-Identifier: GPL-2.0-or-later
//
// The sub-commands that change what is in force.  Each returns its exit status: 0 done,
// 1 something is wrong, 75 another one is at work.  They print what they do on standard
// output, problems on standard error; throw Fault.  What is damaged of what is in force
// they write anew, with a warning.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace mxfeed {

struct ApplyOptions {
  std::filesystem::path config;          // --config
  std::filesystem::path state;           // --state, absolute
  std::filesystem::path postfix_config;  // --postfix-config, absolute
  bool use_postfix = true;               // --no-postfix
  std::string host;                      // --host, or empty
  bool dry_run = false;
  bool diff = false;
  std::uint64_t allow_removals = 0;
  bool json = false;  // standard output is one object
};

int apply(const ApplyOptions& options);
// Without a number: to what was in force before.
int rollback(const ApplyOptions& options, std::optional<std::uint64_t> number);

}  // namespace mxfeed
