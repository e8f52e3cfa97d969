// SPDX-License-Identifier: GPL-2.0-or-later
//
// What Postfix needs to hold mail: on each host for itself, or on one host for all.
//
//   filter -> address of the quarantine -> mxfeed-quarantine (lmtp) -> the daemon
//
//   on another host than that of [quarantine]:
//   filter -> address -> mxfeed-quarantine-host (smtp) -> intake of that host -> as above

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postfix-conf/config/config.h"

namespace mxfeed {

// Where this host's mail is held, and whose it holds.
struct QuarantineSite {
  std::string host;  // that holds what this one's filters hold; empty: this one
  std::vector<Endpoint> servers;   // of that host
  std::vector<IpAddress> clients;  // the other gateways, if this host holds for them
  std::uint16_t port = kQuarantinePort;

  bool is_elsewhere() const { return !host.empty(); }
  bool has_intake() const { return !clients.empty(); }
};

// `local` is this host; null if it is unknown: then what it holds goes to the host of
// [quarantine], if there is one.
QuarantineSite quarantine_site(const GatewayConfig& gateway, const HostConfig* local);

// The socket of mxfeed-quarantine, below the queue directory.
inline constexpr const char* kQuarantineRoute =
    "mxfeed-quarantine:unix:mxfeed/quarantine.sock";
// Tables that come before our other ones in transport_maps; kept while mail waits.
inline constexpr const char* kQuarantineRouteParameter = "mxfeed_delivery_quarantine";
// The service that takes what the quarantine releases, past all filters; below the queue
// directory.
inline constexpr const char* kReleaseSocket = "private/mxfeed-release";
// What the intake is named in the log.  Its name in master.cf is its port.
inline constexpr const char* kIntakeName = "mxfeed-quarantine-intake";

// The port of the intake that these lines of master.cf have; empty if they have none.
std::string_view intake_port_of(const std::vector<std::string>& master_cf);

void add_quarantine_parameters(
    const QuarantineSite& site,
    std::vector<std::pair<std::string, std::string>>& parameters);

// Also if no domain holds mail: the first that does changes nothing in master.cf, and
// what waits needs them.  `bind`: the options of smtp(8) for the addresses of this host,
// " -o NAME=VALUE" each.
void add_quarantine_services(const QuarantineSite& site, const std::string& bind,
                             std::vector<std::string>& services);

// "192.0.2.1, [2001:db8::1]", as lists of Postfix have them.
std::string address_list(const std::vector<IpAddress>& addresses);

}  // namespace mxfeed
