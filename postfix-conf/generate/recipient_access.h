// SPDX-License-Identifier: GPL-2.0-or-later
//
// recipient_access, a table as access(5) describes: what new mail for recipients in our
// domains gets before the site's own restrictions.  Pure.
//
// access(5) looks for the address, the address without its extension, the domain, and the
// parents of the domain: as "parent" or as ".parent", whether smtpd_access_maps is in
// parent_domain_matches_subdomains or not.  A row for "acme.example" may therefore answer
// for names below it, so a domain of ours below one with a row has a row too.
//
// No value permits: what follows in the list still decides.

#pragma once

#include "postfix-conf/generate/maps.h"

namespace mxfeed {

extern const MapKind kRecipientAccess;

// The class for domains that reject clients on block lists.
inline constexpr const char* kBlocklistClass = "mxfeed_blocklist";
// Those that ask mxfeed-recipients, by what unknown recipients get while it cannot ask
// the domain's server.
inline constexpr const char* kCalloutClass = "mxfeed_callout";
inline constexpr const char* kCalloutDeferClass = "mxfeed_callout_defer";

}  // namespace mxfeed
