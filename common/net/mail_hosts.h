// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where the hosts are that take mail (RFC 5321, 5.1).  Pure but for what it asks.

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/address.h"
#include "common/net/dns.h"

namespace mxfeed::dns {

// What is not a name is absent.
Answer ask(std::string_view name, RecordType type, Lookup& lookup);

// The addresses of a host.
struct HostAddresses {
  std::vector<IpAddress> addresses;
  // If there are none: why that is not certain; none if the host has no address.
  Trouble trouble = Trouble::none;
  bool is_temporary = false;
};
HostAddresses addresses_of(std::string_view host, Lookup& lookup);

// Whether a host is a gateway of ours.
using IsOurs =
    std::function<bool(const std::string& host, const std::vector<IpAddress>& addresses)>;

// The hosts that Postfix delivers to if it is one of the hosts itself: those before the
// first that is ours, in order of preference; all if none is.
struct BetterHosts {
  std::vector<std::string> hosts;
  bool names_us = false;
};
// Looks for the addresses of all hosts.
BetterHosts better_hosts(std::vector<MailExchange> records, const IsOurs& is_ours,
                         Lookup& lookup);

}  // namespace mxfeed::dns
