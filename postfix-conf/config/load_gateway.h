// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the table of mxfeed.toml.

#pragma once

#include "postfix-conf/config/config.h"
#include "postfix-conf/config/section.h"

namespace mxfeed {

// The settings that a domain starts from.
struct Defaults {
  DomainSettings common, feed, backup;

  const DomainSettings& of(Service service) const;
};

// Fills config.gateway; problems are noted.
Defaults read_gateway(TomlNode root, Problems& problems, Config& config);

}  // namespace mxfeed
