// SPDX-License-Identifier: GPL-2.0-or-later
//
// The servers that Postfix delivers to by the route of a domain.  Pure but for what it
// asks.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/address.h"
#include "common/net/dns.h"

namespace mxfeed {

struct RouteServer {
  // What it is known by: "[192.0.2.7]:25" as in the route, or with a host name
  // "[mail.acme.example]:25 192.0.2.7".
  std::string name;
  IpAddress address;
  std::uint16_t port;

  bool operator==(const RouteServer&) const = default;
};

// Whether something must be looked up for that.
bool has_names(std::string_view route);

// `route` is Hosted::route.  Of MX hosts, those that come before the first with an
// address in `gateways`.  Loopback and private addresses of names are left out.  None at
// all if a name has no address or is not known for now: its server could be the one that
// answers.
std::vector<RouteServer> route_servers(std::string_view route,
                                       const std::vector<IpAddress>& gateways,
                                       dns::Lookup& lookup);

}  // namespace mxfeed
