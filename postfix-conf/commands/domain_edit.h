// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed domain set` and `mxfeed domain remove`: for a provider's portal.

#pragma once

#include <filesystem>
#include <string>

#include "common/command/command.h"

namespace mxfeed {

struct DomainEdit {
  std::filesystem::path config;
  std::filesystem::path state;
  std::string name;
  std::string row;  // domain set: as in DomainFile::with()
  bool json = false;
  bool dry_run = false;
};

// Writes DIR/domains.d/ID.toml, ID being the customer's or else the domain's name, unless
// it says the same already or the configuration would have an error: then nothing is
// changed.  A domain in a file that an operator wrote is left alone.  Throws CommandError
// and Fault.
ExitCode set_domain(const DomainEdit& edit);
// The same for state = "removed".
ExitCode remove_domain(const DomainEdit& edit);

}  // namespace mxfeed
