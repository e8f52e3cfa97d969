// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether a client is one of the hosts that take mail for a domain: another backup MX
// brings us what it took, and has no use for a refusal.

#pragma once

#include <string_view>

#include "common/mail/address.h"
#include "common/net/dns.h"

namespace mxfeed::greylist {

// Asks for the MX records of the domain, and for the addresses of up to 10 of them.  Not
// if that cannot be found out now.
bool is_mail_host(std::string_view domain, const IpAddress& client, dns::Lookup& lookup);

}  // namespace mxfeed::greylist
