// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the settings of a Postfix that a generation depends on.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "postfix-conf/generate/site.h"
#include "postfix-conf/postfix/settings.h"

namespace mxfeed {

struct SiteReading {
  Site site;
  // The items of mynetworks that cannot be compiled into the policy, each with the cause.
  std::vector<std::string> uncompiled;
};

// Ignores our own maps, which are below `state`.  Reads the files and the tables of type
// cidr that mynetworks names: that of the first service that gets the filters.
SiteReading read_site(const PostfixSettings& settings, const PostfixUse& use,
                      const std::filesystem::path& state);

}  // namespace mxfeed
