// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the table of one file of domains.d.

#pragma once

#include <list>
#include <optional>
#include <vector>

#include "postfix-conf/config/config.h"
#include "postfix-conf/config/load_gateway.h"
#include "postfix-conf/config/section.h"

namespace mxfeed {

struct DomainsFile {
  std::optional<CustomerConfig> customer;
  // In the order of the file; the caller sets their customer.
  std::vector<DomainConfig> domains;
};

// Adds the settings of the domains to `settings`, or finds equal ones there.  Problems
// are noted.  Thread-safe for different files, problems and settings.
DomainsFile read_domains(TomlNode root, const Defaults& defaults, Problems& problems,
                         std::list<DomainSettings>& settings);

}  // namespace mxfeed
