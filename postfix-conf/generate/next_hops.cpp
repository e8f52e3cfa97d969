// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/next_hops.h"

#include <map>
#include <optional>
#include <set>
#include <string>

#include "common/base/text.h"
#include "common/mail/address.h"

namespace mxfeed {
namespace {

bool is_delivered(const Hosted& hosted) {
  return is_relayed(hosted.own) || is_relayed(hosted.below);
}

// The address in "[192.0.2.7]:25"; nothing if it is a name.
std::optional<IpAddress> address_of(std::string_view next_hop) {
  const auto end = next_hop.find(']');
  if (!next_hop.starts_with('[') || end == std::string_view::npos) return std::nullopt;
  return IpAddress::parse(next_hop.substr(1, end - 1));
}

void tls_policies(const Generated& generated, const LineSink& line) {
  std::map<std::string_view, std::string_view> policies;
  for (const auto& one : generated.hosted) {
    if (one.tls.empty() || !is_delivered(one)) continue;
    for (const auto next_hop : next_hops(one.route)) policies.emplace(next_hop, one.tls);
  }
  for (const auto& [next_hop, policy] : policies) line(next_hop, policy);
}

void etrn_clients(const Generated& generated, const LineSink& line) {
  std::set<std::string> clients;
  for (const auto& one : generated.hosted) {
    if (!is_delivered(one)) continue;
    for (const auto next_hop : next_hops(one.route)) {
      if (const auto address = address_of(next_hop)) clients.insert(address->str());
    }
  }
  for (const auto& client : clients) line(client, "OK");
}

}  // namespace

std::vector<std::string_view> next_hops(std::string_view route) {
  std::vector<std::string_view> all;
  for (const auto item : split(route, ',')) {
    if (const auto next_hop = trim(item); !next_hop.empty()) all.push_back(next_hop);
  }
  return all;
}

const MapKind kTlsPolicy = {.name = "tls_policy", .whole = tls_policies};
const MapKind kEtrnClients = {.name = "etrn_clients", .whole = etrn_clients};

}  // namespace mxfeed
