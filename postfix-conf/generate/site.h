// SPDX-License-Identifier: GPL-2.0-or-later
//
// The Postfix that a generation is made for: its host, its own settings, and how the
// configuration uses it.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/mail/address.h"

namespace mxfeed {

// The [[host]] whose addresses Postfix delivers from.
struct LocalHost {
  std::string name;  // empty if there is none
  // By --host, and not by the name that the host has: later ones select it too.
  bool is_selected = false;

  bool operator==(const LocalHost&) const = default;
};

// The settings of Postfix that a generation depends on.
struct Site {
  // relay_recipient_maps is set, so Postfix refuses recipients that it does not contain.
  bool has_relay_recipients = false;
  // parent_domain_matches_subdomains contains relay_domains, so Postfix also accepts
  // names below a domain.
  bool parents_match = false;
  // The networks of mynetworks that can be compiled into the policy.
  std::vector<Network> mynetworks;
  // proxy_interfaces: addresses that lead here though no interface has them.
  std::string proxies;

  bool operator==(const Site&) const = default;
};

// The settings of the configuration that concern Postfix, besides the parameters and
// services that follow from them.
struct PostfixUse {
  bool dedicated = false;  // no other use, so its global parameters may be set
  // The largest max_size that the configuration sets, and its domain; 0 if it sets none.
  std::uint64_t largest_message = 0;
  std::string largest_of;
  std::chrono::seconds longest_lifetime{0};
  // How long mail for a domain that vanishes from the configuration is put off.
  std::chrono::seconds removal_grace{std::chrono::hours(72)};
  std::vector<Network> allow_private;  // that servers by name may be in
  // The services that get the filters, "2525/inet"; if empty, those of port 25.
  std::vector<std::string> services;
  // The other host that holds what this one's filters hold, and its servers,
  // "[192.0.2.7]:2424"; empty: this one does.
  std::string quarantine_host;
  std::vector<std::string> quarantine_servers;
  // How long copies in mailboxes can be read after the outage.
  std::chrono::seconds mailbox_keep{std::chrono::hours(24 * 30)};

  bool operator==(const PostfixUse&) const = default;
};

}  // namespace mxfeed
