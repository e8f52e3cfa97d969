// SPDX-License-Identifier: GPL-2.0-or-later
//
// postmaster@ of a hosted domain must be taken (RFC 5321, 4.5.1).  If its server refuses
// it, such mail gets a route to the provider's postmaster, for a while.  Rules as
// functions of values, no I/O.

#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "postfix-conf/generate/overlay.h"
#include "postfix-conf/generate/rows.h"
#include "postfix-conf/queue/recovery.h"
#include "postfix-conf/queue/terms.h"

namespace mxfeed {

struct ProviderRoute {
  Time since{};   // when it was made
  Time waited{};  // when mail waited for it last

  bool operator==(const ProviderRoute&) const = default;
};
// By the address as Postfix looks it up, "postmaster@acme.example".
using ProviderRoutes = std::map<std::string, ProviderRoute, std::less<>>;

// The key of a recipient that is a postmaster; empty for all others.
std::string postmaster_key(std::string_view address);

// A route is kept for that long after mail has waited for it.
inline constexpr std::chrono::hours kProviderRouteKept{24};
// Mail that its server still refuses so long after that does not follow the route.
inline constexpr std::chrono::hours kProviderRouteTried{1};
// Postfix has noticed a table that was replaced after 10 seconds, and qmgr(8) keeps the
// answer to its last query for 30.
inline constexpr std::chrono::seconds kProviderRouteNoticed{40};

// Whether mail for the key that its server has refused is to take that route, whether it
// is there or not.
bool may_take_route(const ProviderRoutes& routes, std::string_view key, Time now);

// Whether an attempt would take the route by now.
bool is_noticed(const ProviderRoutes& routes, std::string_view key, Time now);

// Whether the route is to be kept: not too long, and only while the domain is active.
bool is_kept(const ProviderRoute& route, std::string_view key, Time now, Terms& terms,
             const Generated& generated);

// The keeper's routes: those to the provider, and those of servers that are away.
OverlayLines overlay_lines(const std::map<std::string, Destination>& destinations,
                           const ProviderRoutes& routes, const Generated& generated);

}  // namespace mxfeed
