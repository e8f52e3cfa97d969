// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether mail can be delivered to the hosts that are configured by name, or found by MX
// records: they exist, and none of their addresses is ours or private.  Pure but for what
// it asks.

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/address.h"
#include "common/net/dns.h"
#include "postfix-conf/config/config.h"

namespace mxfeed {

struct DestinationProblems {
  // What must not be put in force.
  std::vector<Problem> errors;
  // What was not checked because the DNS does not answer, and the faults of hosts that
  // mail is delivered to already: one customer's records must not stop the changes of the
  // others.  That mail waits.
  std::vector<Problem> warnings;
};

// Whether mail for the domain is delivered to this item of Hosted::route already.
using IsInForce = std::function<bool(std::string_view domain, std::string_view next_hop)>;

// `own` are addresses of this host besides those of [[host]].
DestinationProblems check_destinations(const Config& config,
                                       const std::vector<IpAddress>& own,
                                       dns::Lookup& lookup, const IsInForce& is_in_force);

// The same of one domain, as if mail were not delivered there yet.
DestinationProblems check_destinations(const Config& config, const DomainConfig& domain,
                                       const std::vector<IpAddress>& own,
                                       dns::Lookup& lookup);

// The MX hosts that come before the gateways, in order of preference; all, if no record
// names a gateway.
struct BetterHosts {
  std::vector<std::string> hosts;
  bool names_us = false;
  // A gateway by its name with an address that is not ours: mail could loop.
  std::string unknown_gateway;
};
BetterHosts better_hosts(const std::vector<dns::MailExchange>& records,
                         const GatewayConfig& gateway, const std::vector<IpAddress>& own,
                         dns::Lookup& lookup);

// The servers that mail for the domain is delivered to, by their addresses, as far as
// they can be found.
std::vector<Endpoint> servers_of(const DomainConfig& domain, const GatewayConfig& gateway,
                                 dns::Lookup& lookup);

}  // namespace mxfeed
