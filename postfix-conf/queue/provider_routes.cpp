// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/provider_routes.h"

#include <set>

#include "common/mail/envelope.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/generate/maps.h"
#include "postfix-conf/postfix/queue.h"

namespace mxfeed {
namespace {

constexpr std::string_view kPostmaster = "postmaster";

std::string at_domain(std::string_view domain) {
  return std::string(kPostmaster).append("@").append(domain);
}

}  // namespace

std::string postmaster_key(std::string_view address) {
  const auto recipient = Recipient::parse(address);
  if (recipient.role() != kPostmaster || recipient.domain.empty()) return {};
  return at_domain(recipient.domain);
}

bool may_take_route(const ProviderRoutes& routes, std::string_view key, Time now) {
  const auto found = routes.find(key);
  return found == routes.end() || now - found->second.since < kProviderRouteTried;
}

bool is_noticed(const ProviderRoutes& routes, std::string_view key, Time now) {
  const auto found = routes.find(key);
  return found != routes.end() && now - found->second.since >= kProviderRouteNoticed;
}

bool is_kept(const ProviderRoute& route, std::string_view key, Time now, Terms& terms,
             const Generated& generated) {
  const auto* const hosted = generated.find(terms.of(key).domain);
  // A time in the future is of another clock.
  return hosted != nullptr && hosted->own == Row::active && route.since <= now &&
         now - route.waited < kProviderRouteKept;
}

OverlayLines overlay_lines(const std::map<std::string, Destination>& destinations,
                           const ProviderRoutes& routes, const Generated& generated) {
  OverlayLines lines;
  std::set<std::string> keys;
  for (const auto& [key, route] : routes) {
    for (const auto& domain : spellings_of(key.substr(key.find('@') + 1))) {
      const std::string address = at_domain(domain);
      if (!keys.insert(address).second) continue;
      lines.emplace_back(address, std::string(kProviderTransport) + ":");
    }
  }
  const bool has_own_rows = has_provider(generated.master_cf);
  for (const auto& [domain, destination] : destinations) {
    const auto* const hosted = generated.find(domain);
    if (hosted == nullptr || hosted->service == Service::mailbox) continue;
    const std::string route = overlay_route(destination, hosted->route);
    if (route.empty()) continue;
    add_overlay_lines(*hosted, route, lines);
    // Else the generation's row for the address would come first.
    if (!has_own_rows || hosted->on_refusal != OnRefusal::bounce) continue;
    for (const auto& name : key_forms(hosted->name)) {
      const std::string address = at_domain(name);
      if (keys.insert(address).second) lines.emplace_back(address, route);
    }
  }
  return lines;
}

}  // namespace mxfeed
