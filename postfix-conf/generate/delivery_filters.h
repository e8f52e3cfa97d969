// SPDX-License-Identifier: GPL-2.0-or-later
//
// What keeps mail that goes to a host by name safe from the DNS, for the parameters of
// our transports.  The records are the customer's and change at any time.  Pure.

#pragma once

#include <string>
#include <vector>

#include "common/mail/address.h"

namespace mxfeed {

// For smtp_dns_reply_filter: addresses that are not public are ignored, except those in
// the networks.  If a network is one of IPv6, no IPv6 address is ignored.
std::string dns_reply_filter(const std::vector<Network>& allow_private);

// For smtp_delivery_status_filter: mail waits when a name does not exist, when MX records
// lead to ourselves, or when a domain says that it takes no mail.
std::string delivery_status_filter();

}  // namespace mxfeed
