// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/verify/dns_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/base/text.h"
#include "common/net/mail_hosts.h"
#include "postfix-conf/verify/dns_records.h"

namespace mxfeed {
namespace {

using dns::Answer;
using dns::RecordType;

constexpr std::chrono::seconds kLeastTtl{60};
constexpr const char* kSeeRecords = "see mxfeed dns";

// "192.0.2.7" written as a name.
bool looks_like_address(std::string_view name) {
  return !name.empty() && name.find_first_not_of("0123456789.") == std::string_view::npos;
}

// A host that an MX record names.
struct Exchanger {
  std::string host;
  std::uint16_t preference = 0;
  std::vector<IpAddress> addresses;
  bool is_ours = false;
};

class DnsChecks {
 public:
  DnsChecks(const Config& config, const DomainConfig& domain, dns::Lookup& lookup,
            const FetchPolicy& fetch)
      : config_(config), domain_(domain), lookup_(lookup), fetch_(fetch) {}

  std::vector<Finding> run() {
    const auto mx = ask(domain_.name, RecordType::mx);
    if (mx.is_temporary()) {
      found_.unknown("mx", domain_.name, describe(mx));
      return found_.all();
    }
    if (mx.is_absent()) {
      no_mx();
    } else {
      exchangers(mx);
    }
    return found_.all();
  }

 private:
  Answer ask(std::string_view name, RecordType type) {
    return dns::ask(name, type, lookup_);
  }

  static std::string describe(const Answer& answer) {
    return fmt::format("the DNS does not answer: {}", to_string(answer.trouble));
  }

  void no_mx() {
    const bool has_address = ask(domain_.name, RecordType::a).is_found() ||
                             ask(domain_.name, RecordType::aaaa).is_found();
    found_.failed("mx", domain_.name,
                  has_address ? "has no MX record: senders use its A or AAAA record"
                              : "has no MX record",
                  fmt::format("publish the records of {}", kSeeRecords));
  }

  void exchangers(const Answer& mx) {
    const auto records = mx.all<dns::MailExchange>();
    if (std::any_of(records.begin(), records.end(),
                    [](const auto& record) { return record.host.empty(); })) {
      found_.failed("mx", domain_.name, "says that it takes no mail (null MX, RFC 7505)",
                    fmt::format("publish the records of {}", kSeeRecords));
      return;
    }
    if (mx.ttl < kLeastTtl) {
      found_.failed("mx-ttl", domain_.name,
                    fmt::format("the TTL of its MX records is {} s", mx.ttl.count()),
                    fmt::format("at least {} s; 3600 is usual", kLeastTtl.count()));
    } else {
      found_.ok("mx-ttl", domain_.name, fmt::format("{} s", mx.ttl.count()));
    }
    std::vector<Exchanger> all;
    for (const auto& record : records) all.push_back(examine(record));
    switch (domain_.settings->service) {
      case Service::feed:
      case Service::mailbox:
        feed(all);
        break;
      case Service::backup:
        backup(all);
        break;
      case Service::direct:
        direct(all);
        break;
    }
    if (domain_.settings->policy.subdomains) names_below(records);
    sts(all);
  }

  Exchanger examine(const dns::MailExchange& record) {
    Exchanger one{record.host, record.preference, {}, is_our_name(record.host)};
    if (looks_like_address(record.host)) {
      found_.failed("mx-host", record.host, "is an address, where a name must be",
                    "name a host that has this address in its A record");
      return one;
    }
    if (record.host.find('.') == std::string::npos) {
      found_.failed("mx-host", record.host, "is no fully qualified name",
                    "write the whole name, with a dot at its end in a zone file");
    }
    if (ask(record.host, RecordType::cname).is_found()) {
      found_.failed("mx-alias", record.host, "is an alias (CNAME)",
                    "name the host that it stands for (RFC 5321, 5.1)");
    }
    addresses_of(one);
    return one;
  }

  void addresses_of(Exchanger& one) {
    bool is_known = true;
    for (const auto type : {RecordType::a, RecordType::aaaa}) {
      const auto answer = ask(one.host, type);
      if (answer.is_temporary()) {
        found_.unknown("mx-address", one.host, describe(answer));
        is_known = false;
      }
      const auto some = answer.all<IpAddress>();
      one.addresses.insert(one.addresses.end(), some.begin(), some.end());
    }
    if (one.addresses.empty()) {
      if (is_known) {
        found_.failed("mx-address", one.host,
                      "has no A or AAAA record, or does not exist",
                      "publish one, or correct the name; the data of an MX record ends "
                      "in a dot in a zone file");
      }
      return;
    }
    bool is_good = true;
    for (const auto& address : one.addresses) {
      if (address.is_public()) continue;
      is_good = false;
      found_.failed("mx-address", one.host,
                    fmt::format("{} cannot be reached from the Internet", address.str()),
                    "publish the public address");
    }
    const auto ours = our_addresses();
    const auto is_ours = [&](const IpAddress& address) {
      return std::find(ours.begin(), ours.end(), address) != ours.end();
    };
    if (one.is_ours && !ours.empty() &&
        !std::all_of(one.addresses.begin(), one.addresses.end(), is_ours)) {
      is_good = false;
      found_.failed("mx-address", one.host,
                    "is a gateway by its name, but has an address that no [[host]] has",
                    "correct its A and AAAA records, or [[host]] in mxfeed.toml");
    }
    // A name of the customer's own for a gateway.
    one.is_ours |= std::all_of(one.addresses.begin(), one.addresses.end(), is_ours);
    if (is_good) found_.ok("mx-address", one.host, addresses_text(one));
  }

  static std::string addresses_text(const Exchanger& one) {
    std::vector<std::string> texts;
    for (const auto& address : one.addresses) texts.push_back(address.str());
    return fmt::format("{}", fmt::join(texts, ", "));
  }

  bool is_our_name(const std::string& host) const {
    const auto has = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), host) != names.end();
    };
    return has(config_.gateway.mx) || has(config_.gateway.backup_mx);
  }

  std::vector<IpAddress> our_addresses() const {
    std::vector<IpAddress> all;
    for (const auto& host : config_.gateway.hosts) {
      all.insert(all.end(), host.addresses.begin(), host.addresses.end());
    }
    return all;
  }

  void feed(const std::vector<Exchanger>& all) {
    bool has_ours = false;
    for (const auto& one : all) {
      has_ours |= one.is_ours;
      if (one.is_ours) continue;
      found_.failed("mx-bypass", one.host,
                    "is not a gateway: mail that arrives there is not filtered",
                    "remove this MX record");
    }
    has_ours ? found_.ok("mx-ours", domain_.name, "names the gateways")
             : found_.failed("mx-ours", domain_.name, "no MX record names a gateway",
                             fmt::format("publish the records of {}", kSeeRecords));
    for (const auto& name : config_.gateway.mx) {
      const bool is_named = std::any_of(
          all.begin(), all.end(), [&](const Exchanger& one) { return one.host == name; });
      if (has_ours && !is_named) {
        found_.note("mx-ours", name, "is a gateway that no MX record names",
                    "add it: one gateway may be down");
      }
    }
  }

  void backup(const std::vector<Exchanger>& all) {
    const auto best = [&](bool ours) {
      const Exchanger* found = nullptr;
      for (const auto& one : all) {
        if (one.is_ours == ours &&
            (found == nullptr || one.preference < found->preference)) {
          found = &one;
        }
      }
      return found;
    };
    const auto* const ours = best(true);
    const auto* const theirs = best(false);
    if (ours == nullptr) {
      found_.failed("mx-ours", domain_.name, "no MX record names the backup",
                    fmt::format("publish the records of {}", kSeeRecords));
    }
    if (theirs == nullptr) {
      found_.failed("mx-order", domain_.name, "no MX record names the customer's server",
                    "publish one with the smallest number");
    }
    if (ours == nullptr || theirs == nullptr) return;
    if (theirs->preference < ours->preference) {
      found_.ok("mx-order", domain_.name,
                fmt::format("{} ({}) before {} ({})", theirs->host, theirs->preference,
                            ours->host, ours->preference));
    } else {
      found_.failed("mx-order", domain_.name,
                    fmt::format("{} ({}) does not come before {} ({})", theirs->host,
                                theirs->preference, ours->host, ours->preference),
                    "give the customer's server the smaller number");
    }
    leads_to_server(all);
  }

  void direct(const std::vector<Exchanger>& all) {
    for (const auto& one : all) {
      if (one.is_ours) {
        found_.failed("mx-ours", one.host, "is a gateway, which does not take this mail",
                      "remove this MX record");
      }
    }
    leads_to_server(all);
  }

  // Whether senders reach the server that is configured.
  void leads_to_server(const std::vector<Exchanger>& all) {
    for (const auto& endpoint : domain_.deliver_to) {
      const bool is_named =
          std::any_of(all.begin(), all.end(), [&](const Exchanger& one) {
            return endpoint.name() != nullptr
                       ? one.host == *endpoint.name()
                       : std::find(one.addresses.begin(), one.addresses.end(),
                                   *endpoint.address()) != one.addresses.end();
          });
      if (!is_named) {
        found_.note("mx-server", endpoint.str(), "no MX record leads to this server",
                    "correct the record, or deliver_to");
      }
    }
  }

  void names_below(const std::vector<dns::MailExchange>& records) {
    const std::string name = "mxfeed-verify." + domain_.name;
    const auto answer = ask(name, RecordType::mx);
    if (answer.is_temporary()) {
      found_.unknown("mx-below", name, describe(answer));
    } else if (answer.all<dns::MailExchange>() == records) {
      found_.ok("mx-below", "*." + domain_.name, "has the same MX records");
    } else {
      found_.note("mx-below", "*." + domain_.name,
                  "names below the domain do not have its MX records",
                  "publish a wildcard, or records of each name that gets mail");
    }
  }

  void sts(const std::vector<Exchanger>& all) {
    const auto texts = ask("_mta-sts." + domain_.name, RecordType::txt).all<dns::Text>();
    if (std::none_of(texts.begin(), texts.end(), [](const dns::Text& one) {
          return one.text.starts_with("v=STSv1");
        })) {
      return;
    }
    const std::string host = "mta-sts." + domain_.name;
    const auto policy = fetch_(host);
    if (!policy) {
      found_.note("mta-sts", host, "no policy can be read there",
                  "serve it, or remove the TXT record of _mta-sts");
      return;
    }
    const bool is_enforced = policy->find("mode: enforce") != std::string::npos ||
                             policy->find("mode:enforce") != std::string::npos;
    bool is_good = true;
    for (const auto& one : all) {
      if (sts_allows(*policy, one.host)) continue;
      is_good = false;
      const std::string cause = "the policy for TLS does not name this MX host";
      const std::string advice = "add \"mx: " + one.host + "\" and change the id";
      is_enforced ? found_.failed("mta-sts", one.host, cause, advice)
                  : found_.note("mta-sts", one.host, cause, advice);
    }
    if (is_good) found_.ok("mta-sts", host, "the policy names every MX host");
  }

  const Config& config_;
  const DomainConfig& domain_;
  dns::Lookup& lookup_;
  const FetchPolicy& fetch_;
  Findings found_;
};

}  // namespace

std::vector<Finding> check_dns(const Config& config, const DomainConfig& domain,
                               dns::Lookup& lookup, const FetchPolicy& fetch) {
  return DnsChecks(config, domain, lookup, fetch).run();
}

bool sts_allows(const std::string& policy, std::string_view host) {
  for (auto line : split(policy, '\n')) {
    if (!line.starts_with("mx:")) continue;
    line.remove_prefix(3);
    while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
    while (line.ends_with('\r') || line.ends_with(' ') || line.ends_with('\t')) {
      line.remove_suffix(1);
    }
    if (iequals(line, host)) return true;
    if (!line.starts_with("*.")) continue;
    const auto dot = host.find('.');
    if (dot != std::string_view::npos && dot > 0 &&
        iequals(line.substr(1), host.substr(dot))) {
      return true;
    }
  }
  return false;
}

}  // namespace mxfeed
