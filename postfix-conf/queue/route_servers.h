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

struct RouteLimits {
  std::vector<IpAddress> gateways;     // addresses of all of them
  std::vector<Network> allow_private;  // as in mxfeed.toml
};

// `route` is Hosted::route.  Of names, addresses that Postfix does not deliver to are
// left out: those of gateways, and private ones that are not allowed.  None at all if a
// name is not known for now: its server could be the one that answers.
std::vector<RouteServer> route_servers(std::string_view route, const RouteLimits& limits,
                                       dns::Lookup& lookup);

}  // namespace mxfeed
