// SPDX-License-Identifier: GPL-2.0-or-later
//
// This host: its name and its addresses.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/mail/address.h"

namespace mxfeed {

// As the resolver completes it; the bare host name if it cannot.
std::string canonical_host_name();

// The addresses of all interfaces that are up, in the order of the interfaces, without
// those that short_lived() finds.  Throws Fault.
std::vector<IpAddress> interface_addresses();

// The addresses that are temporary (RFC 8981), deprecated or not yet verified.
// `if_inet6` is the text of /proc/net/if_inet6.  Pure.
std::vector<IpAddress> short_lived(std::string_view if_inet6);

}  // namespace mxfeed
