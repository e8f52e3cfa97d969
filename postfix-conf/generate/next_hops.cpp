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

// What is in brackets, as access(5) knows clients: a name is proved by both ways of DNS.
// Nothing if it stands for MX hosts.
std::optional<std::string> client_of(std::string_view next_hop) {
  const auto end = next_hop.find(']');
  if (!next_hop.starts_with('[') || end == std::string_view::npos) return std::nullopt;
  const auto host = next_hop.substr(1, end - 1);
  const auto address = IpAddress::parse(host);
  return address ? address->str() : std::string(host);
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
      if (auto client = client_of(next_hop)) clients.insert(*std::move(client));
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
