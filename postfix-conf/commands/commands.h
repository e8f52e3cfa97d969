// SPDX-License-Identifier: GPL-2.0-or-later
//
// The commands on the gateway's configuration: `mxfeed check`, `mxfeed apply` and so on.

#pragma once

#include <vector>

#include "common/command/command.h"

namespace mxfeed {

std::vector<Command> gateway_commands();

// `mxfeed domain set` and `remove`, `mxfeed mailbox`, and `mxfeed greylist allow` and
// `deny`, which change the configuration.
std::vector<Command> domain_commands();
std::vector<Command> mailbox_commands();
std::vector<Command> greylist_list_commands();

}  // namespace mxfeed
