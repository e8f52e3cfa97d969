// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tables whose keys are the customers' servers, which domains may share.  Pure.

#pragma once

#include <string_view>
#include <vector>

#include "postfix-conf/generate/maps.h"

namespace mxfeed {

// smtp_tls_policy_maps of our transports: by next hop, as transport(5) names it.
extern const MapKind kTlsPolicy;
// For check_client_access: the addresses and names that may ask for the queue (ETRN).
extern const MapKind kEtrnClients;

// "[192.0.2.7]:25", "[mail.acme.example]:2525", "acme.example": the items of
// Hosted::route.
std::vector<std::string_view> next_hops(std::string_view route);

}  // namespace mxfeed
