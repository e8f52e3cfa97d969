// SPDX-License-Identifier: GPL-2.0-or-later
//
// From configuration to what is generated: functions of values, no I/O.

#pragma once

#include <functional>
#include <string>

#include "postfix-conf/config/config.h"
#include "postfix-conf/generate/rows.h"

namespace mxfeed {

// What is asked for: a generation without what must be kept for mail that waits.
struct Wanted {
  Generated draft;
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
// Domains of equal virus and spam policy get the same content class, from 1.
Generated complete(Wanted wanted, const Generated& previous, const Waits& waits);

}  // namespace mxfeed
