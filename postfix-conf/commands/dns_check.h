// SPDX-License-Identifier: GPL-2.0-or-later
//
// Looks up, all at once, the hosts that mail is to be delivered to by name.

#pragma once

#include <vector>

#include "common/mail/address.h"
#include "postfix-conf/config/config.h"
#include "postfix-conf/generate/rows.h"
#include "postfix-conf/generate/site.h"

namespace mxfeed {

// The addresses of this host besides those of [[host]]: of its interfaces, and those that
// lead to the site from elsewhere.
std::vector<IpAddress> own_addresses(const Site& site);

// Adds what check_destinations() finds to the configuration, which has no errors.  It
// ends within a minute or so, however many hosts there are: what has no answer by then is
// a warning.
void look_up_destinations(Config& config, const Site& site, const Generated& in_force);

}  // namespace mxfeed
