// SPDX-License-Identifier: GPL-2.0-or-later
//
// From configuration to what is generated: functions of values, no I/O.

#pragma once

#include <functional>
#include <set>
#include <string>

#include "postfix-conf/config/config.h"
#include "postfix-conf/generate/rows.h"

namespace mxfeed {

// What is asked for: a generation without what must be kept for mail that waits.
struct Wanted {
  Generated draft;
  // The domains that the configuration says are not relayed: they have not vanished.
  std::set<std::string, std::less<>> refused;
};

// `config` is without errors; `local` is the host to generate for, null if unknown;
// `state` the absolute path of --state; `site` the Postfix that it is for.
Wanted compile(const Config& config, const HostConfig* local, const std::string& state,
               const Site& site);

// What an earlier generation hosted; what it had kept is decided anew.
Wanted wanted_again(Generated earlier);

// Whether the queue has mail for the key, or may still get some.
using Waits = std::function<bool(const RelayKey&)>;

// The generation that follows `previous`: what is wanted; what `previous` relayed and is
// not wanted, as kept; what it kept already, if mail waits for it; and what is unknown of
// the domains of both.  What is to be refused is only kept as long as mail may wait.
// What has vanished is gone since `now`, and mail for it is put off, not refused, until
// removal_grace is over.
// Domains of equal virus and spam policy and max_size get the same content class, from 1.
Generated complete(Wanted wanted, const Generated& previous, const Waits& waits,
                   Time now);

}  // namespace mxfeed
