// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/route_servers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "common/base/text.h"
#include "common/net/mail_hosts.h"

namespace mxfeed {
namespace {

constexpr std::uint16_t kSmtpPort = 25;
// The keeper asks each of them.
constexpr std::size_t kMostAddresses = 4;  // of a name
constexpr std::size_t kMostHosts = 5;      // MX hosts

class Servers {
 public:
  Servers(const RouteLimits& limits, dns::Lookup& lookup)
      : limits_(limits), lookup_(lookup) {}

  void add(std::string_view name, const IpAddress& address, std::uint16_t port) {
    found_.push_back({std::string(name), address, port});
  }

  void add_named(std::string_view host, std::uint16_t port) {
    const auto found = dns::addresses_of(host, lookup_);
    is_unknown_ = is_unknown_ || found.is_temporary;
    std::size_t count = 0;
    for (const auto& address : found.addresses) {
      if (!may_have(address) || count++ == kMostAddresses) continue;
      add(fmt::format("[{}]:{} {}", host, port, address.str()), address, port);
    }
  }

  void add_mx(std::string_view domain) {
    const auto answer = dns::ask(domain, dns::RecordType::mx, lookup_);
    is_unknown_ = is_unknown_ || answer.is_temporary();
    const auto is_gateway = [&](const std::string&,
                                const std::vector<IpAddress>& addresses) {
      return std::any_of(addresses.begin(), addresses.end(),
                         [&](const IpAddress& one) { return is_ours(one); });
    };
    auto hosts =
        dns::better_hosts(answer.all<dns::MailExchange>(), is_gateway, lookup_).hosts;
    hosts.resize(std::min(hosts.size(), kMostHosts));
    for (const auto& host : hosts) add_named(host, kSmtpPort);
  }

  std::vector<RouteServer> take() {
    if (is_unknown_) found_.clear();
    return std::move(found_);
  }

 private:
  bool is_ours(const IpAddress& address) const {
    return std::find(limits_.gateways.begin(), limits_.gateways.end(), address) !=
           limits_.gateways.end();
  }

  bool may_have(const IpAddress& address) const {
    if (is_ours(address)) return false;
    return address.is_public() ||
           std::any_of(limits_.allow_private.begin(), limits_.allow_private.end(),
                       [&](const Network& one) { return one.contains(address); });
  }

  const RouteLimits& limits_;
  dns::Lookup& lookup_;
  std::vector<RouteServer> found_;
  bool is_unknown_ = false;
};

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

std::vector<RouteServer> route_servers(std::string_view route, const RouteLimits& limits,
                                       dns::Lookup& lookup) {
  Servers servers(limits, lookup);
  if (!route.starts_with('[')) {
    servers.add_mx(route);
    return servers.take();
  }
  for (const auto part : split(route, ',')) {
    const auto server = trim(part);
    const auto close = server.find("]:");
    if (!server.starts_with('[') || close == std::string_view::npos) return {};
    const auto host = server.substr(1, close - 1);
    const auto port = parse_unsigned(server.substr(close + 2));
    if (!port || *port == 0 || *port > 65535) return {};
    const auto number = static_cast<std::uint16_t>(*port);
    if (const auto address = IpAddress::parse(host)) {
      servers.add(server, *address, number);
    } else {
      servers.add_named(host, number);
    }
  }
  return servers.take();
}

}  // namespace mxfeed
