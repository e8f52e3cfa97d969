// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether the DNS has what a domain's service needs: the rules for MX records, and the
// policy that a domain publishes for TLS.  Pure but for what it asks.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/net/dns.h"
#include "postfix-conf/config/config.h"
#include "postfix-conf/verify/finding.h"

namespace mxfeed {

// The text at https://HOST/.well-known/mta-sts.txt; nothing if it is not to be had.
using FetchPolicy = std::function<std::optional<std::string>(const std::string& host)>;

std::vector<Finding> check_dns(const Config& config, const DomainConfig& domain,
                               dns::Lookup& lookup, const FetchPolicy& fetch);

// Whether a policy (RFC 8461, 3.2) allows the MX host; "*." stands for one label (4.1).
bool sts_allows(const std::string& policy, std::string_view host);

}  // namespace mxfeed
