// SPDX-License-Identifier: GPL-2.0-or-later
//
// Settings of a Postfix that its postmaster must change before it can be attached.  Pure.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/postfix/attach/plan.h"
#include "postfix-conf/postfix/settings.h"
#include "postfix-conf/postfix/site_reading.h"

namespace mxfeed {

enum class Trouble {
  no_service,         // no service would get the filters
  map_type,           // Postfix does not support the type of our maps
  same_domain,        // the site's maps or lists contain a domain of ours
  proxy_filter,       // milters do not see the content of mail
  milters_disabled,   // some mail or some clients bypass milters
  open_relay,         // everybody may relay
  mynetworks,         // an item, or two lists, cannot be compiled into the policy
  message_size,       // a max_size is above the site's limit
  unknown_milter,     // the configuration does not name a milter of the site
  overridden,         // a service overrides a parameter that we set
  subdomains_routed,  // names below a domain cannot be refused
  port_taken,         // another service has the port of the quarantine host
};

struct Conflict {
  Trouble trouble;
  std::string place;   // "/etc/postfix/master.cf: smtp/inet"
  std::string cause;   // "smtpd_proxy_filter=inet:localhost:10025: ..."
  std::string advice;  // what to do
  std::string str() const;
};

// Domains of ours that an item of the site's lists contains too.
struct SameDomains {
  std::string parameter;             // "transport_maps"
  std::string item;                  // "hash:/etc/postfix/transport"
  std::vector<std::string> domains;  // the first few
  std::size_t count = 0;
  std::string fault;  // why the item could not be examined; then the rest is empty
};

// A Postfix as it would be without our changes.
struct SiteView {
  PostfixSettings settings;
  SiteReading reading;
  std::vector<SameDomains> same;
};

// Those of site.same only.
std::vector<Conflict> same_domain_conflicts(const SiteView& site);

std::vector<Conflict> find_conflicts(const SiteView& site, const PostfixNeeds& needs);

}  // namespace mxfeed
