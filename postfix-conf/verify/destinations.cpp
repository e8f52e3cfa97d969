// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/verify/destinations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "common/net/mail_hosts.h"
#include "postfix-conf/config/settings.h"

namespace mxfeed {
namespace {

constexpr std::uint16_t kSmtpPort = 25;

using dns::RecordType;

bool contains(const std::vector<IpAddress>& all, const IpAddress& address) {
  return std::find(all.begin(), all.end(), address) != all.end();
}

bool is_ours(const IpAddress& address, const GatewayConfig& gateway,
             const std::vector<IpAddress>& own) {
  return contains(own, address) || std::any_of(gateway.hosts.begin(), gateway.hosts.end(),
                                               [&](const HostConfig& host) {
                                                 return contains(host.addresses, address);
                                               });
}

bool is_relayed(const DomainConfig& domain) {
  const auto service = domain.settings->service;
  return domain.settings->state != DomainState::removed &&
         (service == Service::feed || service == Service::backup);
}

class DestinationChecks {
 public:
  DestinationChecks(const Config& config, const std::vector<IpAddress>& own,
                    dns::Lookup& lookup, const IsInForce& is_in_force)
      : config_(config), own_(own), lookup_(lookup), is_in_force_(is_in_force) {}

  void check(const DomainConfig& domain) {
    if (!is_relayed(domain)) return;
    if (domain.settings->deliver_to_mx) return mx(domain);
    for (const auto& server : domain.deliver_to) {
      if (server.name() != nullptr) named(domain, server);
    }
  }

  DestinationProblems take() { return std::move(found_); }

 private:
  Problem problem(const DomainConfig& domain, std::string cause) const {
    Place place = domain.place_of(row_);
    if (place.line == 0) place = domain.place;
    return {place, fmt::format("domain \"{}\"", domain.name), std::string(row_.key),
            std::move(cause)};
  }

  void warn(const DomainConfig& domain, std::string cause) {
    found_.warnings.push_back(problem(domain, std::move(cause)));
  }

  void unknown(const DomainConfig& domain, const std::string& subject,
               dns::Trouble trouble) {
    warn(domain, fmt::format("{}: not checked: the DNS does not answer: {}", subject,
                             to_string(trouble)));
  }

  void fault(const DomainConfig& domain, std::string_view next_hop, std::string cause) {
    if (is_in_force_(domain.name, next_hop)) {
      warn(domain, cause + " (mail waits)");
    } else {
      found_.errors.push_back(problem(domain, std::move(cause)));
    }
  }

  // Why no mail may go to the address; empty if it may.
  std::string why_not(const IpAddress& address) const {
    auto cause = why_undeliverable(config_.gateway, address);
    if (cause.empty() && contains(own_, address)) {
      cause = "an address of this host: mail would loop";
    }
    return cause;
  }

  // Whether the addresses are good as far as they are known.
  void judge(const DomainConfig& domain, std::string_view next_hop,
             const std::string& subject, const dns::HostAddresses& found) {
    for (const auto& address : found.addresses) {
      const auto cause = why_not(address);
      if (cause.empty()) continue;
      fault(domain, next_hop, fmt::format("{}: {}: {}", subject, address.str(), cause));
      return;
    }
  }

  void named(const DomainConfig& domain, const Endpoint& server) {
    const auto next_hop = server.str();
    const auto found = dns::addresses_of(*server.name(), lookup_);
    if (!found.addresses.empty()) return judge(domain, next_hop, next_hop, found);
    if (found.is_temporary) return unknown(domain, next_hop, found.trouble);
    fault(domain, next_hop,
          fmt::format("{}: does not exist, or has no A or AAAA record", next_hop));
  }

  void mx(const DomainConfig& domain) {
    const auto answer = dns::ask(domain.name, RecordType::mx, lookup_);
    if (answer.is_temporary()) return unknown(domain, "MX", answer.trouble);
    const auto fault_of = [&](std::string cause) {
      fault(domain, domain.name, std::move(cause));
    };
    if (answer.is_absent()) return fault_of("the domain has no MX record");
    const auto records = answer.all<dns::MailExchange>();
    if (std::any_of(records.begin(), records.end(),
                    [](const auto& one) { return one.host.empty(); })) {
      return fault_of("the domain says that it takes no mail (null MX, RFC 7505)");
    }
    const auto better = better_hosts(records, config_.gateway, own_, lookup_);
    if (!better.unknown_gateway.empty()) {
      fault_of(
          fmt::format("{} is a gateway with an address that no [[host]] has: mail "
                      "could loop",
                      better.unknown_gateway));
    }
    if (better.hosts.empty()) {
      return fault_of("no MX record names a server that comes before the gateways");
    }
    if (!better.names_us) warn(domain, "no MX record names a gateway: no mail arrives");
    servers(domain, better.hosts);
  }

  void servers(const DomainConfig& domain, const std::vector<std::string>& hosts) {
    bool exists = false;
    for (const auto& host : hosts) {
      const auto found = dns::addresses_of(host, lookup_);
      if (found.is_temporary) unknown(domain, host, found.trouble);
      exists = exists || found.is_temporary || !found.addresses.empty();
      judge(domain, domain.name, host, found);
    }
    if (exists) return;
    fault(domain, domain.name,
          fmt::format("{}: does not exist, or has no A or AAAA record",
                      fmt::join(hosts, ", ")));
  }

  const Config& config_;
  const std::vector<IpAddress>& own_;
  dns::Lookup& lookup_;
  const IsInForce& is_in_force_;
  const Setting<DomainSettings>& row_ = domain_setting("deliver_to");
  DestinationProblems found_;
};

}  // namespace

BetterHosts better_hosts(const std::vector<dns::MailExchange>& records,
                         const GatewayConfig& gateway, const std::vector<IpAddress>& own,
                         dns::Lookup& lookup) {
  BetterHosts better;
  const auto is_own = [&](const IpAddress& one) { return is_ours(one, gateway, own); };
  const auto is_gateway = [&](const std::string& host,
                              const std::vector<IpAddress>& addresses) {
    const bool is_by_name = is_gateway_name(gateway, host);
    if (is_by_name && !std::all_of(addresses.begin(), addresses.end(), is_own)) {
      better.unknown_gateway = host;
    }
    // Postfix goes by the addresses.
    return is_by_name || std::any_of(addresses.begin(), addresses.end(), is_own);
  };
  auto found = dns::better_hosts(records, is_gateway, lookup);
  better.hosts = std::move(found.hosts);
  better.names_us = found.names_us;
  return better;
}

std::vector<Endpoint> servers_of(const DomainConfig& domain, const GatewayConfig& gateway,
                                 dns::Lookup& lookup) {
  std::vector<Endpoint> servers;
  const auto add = [&](const std::string& host, std::uint16_t port) {
    for (const auto& address : dns::addresses_of(host, lookup).addresses) {
      servers.push_back({address, port});
    }
  };
  for (const auto& server : domain.deliver_to) {
    if (server.name() != nullptr) {
      add(*server.name(), server.port);
    } else {
      servers.push_back(server);
    }
  }
  if (domain.settings->deliver_to_mx) {
    const auto records =
        dns::ask(domain.name, RecordType::mx, lookup).all<dns::MailExchange>();
    for (const auto& host : better_hosts(records, gateway, {}, lookup).hosts) {
      add(host, kSmtpPort);
    }
  }
  return servers;
}

DestinationProblems check_destinations(const Config& config,
                                       const std::vector<IpAddress>& own,
                                       dns::Lookup& lookup,
                                       const IsInForce& is_in_force) {
  DestinationChecks checks(config, own, lookup, is_in_force);
  for (const auto& domain : config.domains) checks.check(domain);
  return checks.take();
}

DestinationProblems check_destinations(const Config& config, const DomainConfig& domain,
                                       const std::vector<IpAddress>& own,
                                       dns::Lookup& lookup) {
  const IsInForce never = [](std::string_view, std::string_view) { return false; };
  DestinationChecks checks(config, own, lookup, never);
  checks.check(domain);
  return checks.take();
}

}  // namespace mxfeed
