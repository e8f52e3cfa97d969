// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed greylist allow` and `mxfeed greylist deny`.

#pragma once

#include <filesystem>
#include <string>

#include "common/command/command.h"

namespace mxfeed {

struct ListChange {
  std::filesystem::path config;
  std::filesystem::path state;
  std::string key;     // of the list: "allow" or "deny"
  std::string entry;   // as the operator gives it
  std::string domain;  // whose list it is; empty: the gateway's
  bool removes = false;
};

// Writes the entry into the list of the configuration, or removes it from there.  Every
// other byte of the file stays.  Throws CommandError and Fault.
ExitCode change_greylist_list(const ListChange& change);

}  // namespace mxfeed
