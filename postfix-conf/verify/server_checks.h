// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tries out a customer's server, without giving it a message: reachable, TLS, size,
// recipients, open relay, and whether the filter can be gone round.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/mail/address.h"
#include "postfix-conf/verify/finding.h"

namespace mxfeed {

struct ServerSettings {
  std::string helo;                                 // this host's name
  std::optional<IpAddress> source_v4, source_v6;    // that Postfix delivers from
  std::optional<IpAddress> outside_v4, outside_v6;  // not trusted by the customer
  std::string recipient;    // an address that exists; empty: only postmaster is tried
  std::string foreign;      // a domain that is not the customer's: our own host's name
  std::string spf_failing;  // a domain whose SPF refuses us; empty: not tried
  std::string unknown;      // a local part that nobody has
  std::uint64_t max_size = 0;
  bool needs_smtputf8 = false;
  std::string tls;  // what the delivery demands, as in smtp_tls_policy_maps; or empty
  bool is_filtered = false;          // nobody else may deliver to it: a feed
  std::chrono::seconds timeout{30};  // of each session
};

// Never throws for what the server does.  It opens a session for each group of questions.
std::vector<Finding> check_server(const IpAddress& address, std::uint16_t port,
                                  const std::string& domain,
                                  const ServerSettings& settings);

}  // namespace mxfeed
