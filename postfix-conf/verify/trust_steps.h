// SPDX-License-Identifier: GPL-2.0-or-later
//
// How a customer's mail system is told that mail comes from the gateways.

#pragma once

#include <vector>

#include "common/mail/address.h"
#include "postfix-conf/verify/handover.h"

namespace mxfeed {

// Nothing for MailSystem::any.  `addresses` is what the gateways deliver from.
void add_trust_steps(Sheet& sheet, const std::vector<IpAddress>& addresses,
                     MailSystem system);

}  // namespace mxfeed
