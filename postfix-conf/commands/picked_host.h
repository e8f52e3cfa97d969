// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which [[host]] of the configuration this host is.

#pragma once

#include <string>

#include "postfix-conf/config/config.h"
#include "postfix-conf/generate/site.h"

namespace mxfeed {

struct PickedHost {
  const HostConfig* config =
      nullptr;  // of the Config that was asked; null if there is none
  LocalHost local;
};

// `selected` is what --host says, or empty; `former` the host of the generation in force.
// The first of these that the configuration has: `selected`; `former`, if an earlier
// --host selected it; the name of this host; `former`.  The last, as well as none of
// several, is told as a warning: without a [[host]] Postfix delivers from any address.
// Throws Fault if the configuration does not have `selected`.
PickedHost pick_host(const Config& config, const std::string& selected,
                     const LocalHost& former);

}  // namespace mxfeed
