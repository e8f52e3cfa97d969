// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/route_servers.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "common/base/text.h"

namespace mxfeed {
namespace {

using dns::RecordType;

constexpr std::uint16_t kSmtpPort = 25;
// The keeper asks each of them.
constexpr std::size_t kMostAddresses = 4;  // of a name
constexpr std::size_t kMostHosts = 5;      // MX hosts

dns::Answer ask(std::string_view name, RecordType type, dns::Lookup& lookup) {
  const auto question = dns::Question::parse(std::string(name), type);
  return question ? lookup.ask(*question)
                  : dns::Answer::absent(false, std::chrono::seconds(0));
}

// Nothing if they are not known for now.
std::optional<std::vector<IpAddress>> addresses_of(std::string_view host,
                                                   dns::Lookup& lookup) {
  std::vector<IpAddress> all;
  for (const auto type : {RecordType::a, RecordType::aaaa}) {
    const auto answer = ask(host, type, lookup);
    if (answer.is_temporary()) return std::nullopt;
    const auto some = answer.all<IpAddress>();
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

// Adds the servers with that name; false if there is none.
bool add_named(std::string_view host, std::uint16_t port,
               const std::vector<IpAddress>& gateways, dns::Lookup& lookup,
               std::vector<RouteServer>& servers) {
  const auto addresses = addresses_of(host, lookup);
  if (!addresses) return false;
  std::size_t count = 0;
  for (const auto& address : *addresses) {
    const bool is_ours =
        std::find(gateways.begin(), gateways.end(), address) != gateways.end();
    if (is_ours || !address.is_public() || count == kMostAddresses) continue;
    servers.push_back(
        {fmt::format("[{}]:{} {}", host, port, address.str()), address, port});
    ++count;
  }
  return count > 0;
}

std::vector<RouteServer> mx_servers(std::string_view domain,
                                    const std::vector<IpAddress>& gateways,
                                    dns::Lookup& lookup) {
  auto records = ask(domain, RecordType::mx, lookup).all<dns::MailExchange>();
  std::stable_sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
    return a.preference < b.preference;
  });
  std::optional<std::uint16_t> ours;
  for (const auto& record : records) {
    const auto addresses = addresses_of(record.host, lookup);
    if (!addresses) return {};
    const bool is_ours =
        std::any_of(addresses->begin(), addresses->end(), [&](const IpAddress& one) {
          return std::find(gateways.begin(), gateways.end(), one) != gateways.end();
        });
    if (is_ours) {
      ours = record.preference;
      break;
    }
  }
  std::vector<RouteServer> servers;
  std::size_t hosts = 0;
  for (const auto& record : records) {
    if (ours && record.preference >= *ours) break;
    if (hosts++ == kMostHosts) break;
    if (!add_named(record.host, kSmtpPort, gateways, lookup, servers)) return {};
  }
  return servers;
}

}  // namespace

bool has_names(std::string_view route) {
  for (const auto part : split(route, ',')) {
    const auto server = trim(part);
    const auto close = server.find("]:");
    if (!server.starts_with('[') || close == std::string_view::npos ||
        !IpAddress::parse(server.substr(1, close - 1))) {
      return true;
    }
  }
  return false;
}

std::vector<RouteServer> route_servers(std::string_view route,
                                       const std::vector<IpAddress>& gateways,
                                       dns::Lookup& lookup) {
  if (!route.starts_with('[')) return mx_servers(route, gateways, lookup);
  std::vector<RouteServer> servers;
  for (const auto part : split(route, ',')) {
    const auto server = trim(part);
    const auto close = server.find("]:");
    if (!server.starts_with('[') || close == std::string_view::npos) return {};
    const auto host = server.substr(1, close - 1);
    const auto port = parse_unsigned(server.substr(close + 2));
    if (!port || *port == 0 || *port > 65535) return {};
    const auto number = static_cast<std::uint16_t>(*port);
    if (const auto address = IpAddress::parse(host)) {
      servers.push_back({std::string(server), *address, number});
    } else if (!add_named(host, number, gateways, lookup, servers)) {
      return {};
    }
  }
  return servers;
}

}  // namespace mxfeed
