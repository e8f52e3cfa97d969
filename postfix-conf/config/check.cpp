// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "common/base/text.h"
#include "postfix-conf/config/load.h"
#include "postfix-conf/config/section.h"
#include "postfix-conf/config/settings.h"

namespace mxfeed {
namespace {

bool is_relayed(const DomainConfig& domain) {
  const auto service = domain.settings->service;
  return domain.settings->state != DomainState::removed &&
         (service == Service::feed || service == Service::backup);
}

constexpr const char* kNeedsSpf =
    "senders in the list have no effect: spf_timeout = \"0s\" turns SPF off";

constexpr const char* kNeedsTime =
    "has no effect: no time to ask, since greylist.spf_timeout is \"0s\"";

bool has_senders(const SenderList& list) {
  if (list.empty()) return false;
  const auto entries = list.entries();
  return std::ranges::any_of(entries,
                             [](const ListEntry& one) { return one.needs_spf(); });
}

// Adds warnings of one kind, once for each place: the first thousand, and, when it is
// destroyed, the number of the others.
class AlikeWarnings {
 public:
  AlikeWarnings(Config& config, std::string_view key) : config_(config), key_(key) {}
  ~AlikeWarnings() {
    if (count_ <= kMost) return;
    config_.warnings.push_back(
        {Place{}, "", std::string(key_),
         fmt::format("{} more warnings of this kind", count_ - kMost)});
  }
  AlikeWarnings(const AlikeWarnings&) = delete;
  AlikeWarnings& operator=(const AlikeWarnings&) = delete;

  template <typename Cause>
  void add(Place place, const Cause& cause) {
    // Only a place in mxfeed.toml, the first file, can be that of several domains.
    if (place.file == 0 && !seen_.insert(place).second) return;
    if (++count_ > kMost) return;
    config_.warnings.push_back({place, "", std::string(key_), cause()});
  }

 private:
  static constexpr std::size_t kMost = 1000;

  Config& config_;
  const std::string_view key_;
  std::set<Place> seen_;
  std::size_t count_ = 0;
};

class Checker {
 public:
  explicit Checker(Config& config) : config_(config) {}

  // Postfix chooses TLS by server, not by domain.
  void tls() {
    std::map<Endpoint, const DomainConfig*> first;
    for (const auto& domain : config_.domains) {
      const auto& wanted = domain.settings->tls;
      if (!is_relayed(domain) || wanted.empty()) continue;
      for (const auto& server : domain.deliver_to) {
        const auto [same, is_new] = first.emplace(server, &domain);
        const auto& other = *same->second;
        if (is_new || other.settings->tls == wanted) continue;
        error(domain, "tls",
              fmt::format("{} differs from that of domain \"{}\" ({}), which has the "
                          "same server {}: {}",
                          wanted, other.name, config_.describe(other.place), server.str(),
                          other.settings->tls));
      }
    }
  }

  void domains() {
    const DomainConfig* previous = nullptr;
    for (const auto& domain : config_.domains) {
      if (domain.name.empty()) continue;
      if (previous != nullptr && previous->name == domain.name) {
        error(domain, "name",
              fmt::format("duplicate; first defined at {}",
                          config_.describe(previous->place)));
      } else {
        previous = &domain;
      }
      check(domain);
    }
  }

  void customers() {
    std::map<std::string_view, const CustomerConfig*> seen;
    for (const auto& customer : config_.customers) {
      if (customer.id.empty()) continue;
      const auto [first, is_new] = seen.emplace(customer.id, &customer);
      if (!is_new) {
        config_.errors.push_back({customer.place,
                                  fmt::format("customer \"{}\"", customer.id), "id",
                                  fmt::format("duplicate; first defined at {}",
                                              config_.describe(first->second->place))});
      }
    }
  }

  // Finds domains above a customer's limit, in the order in which they were written.
  void backup_limits() {
    std::vector<std::vector<const DomainConfig*>> backups(config_.customers.size());
    for (const auto& domain : config_.domains) {
      if (domain.customer != DomainConfig::kNoCustomer &&
          domain.settings->service == Service::backup &&
          domain.settings->state != DomainState::removed) {
        backups[domain.customer].push_back(&domain);
      }
    }
    for (std::size_t i = 0; i < backups.size(); ++i) {
      const auto& customer = config_.customers[i];
      auto& all = backups[i];
      if (all.size() <= customer.max_backup_domains) continue;
      std::sort(all.begin(), all.end(),
                [](const auto* a, const auto* b) { return a->place < b->place; });
      for (std::size_t n = customer.max_backup_domains; n < all.size(); ++n) {
        error(*all[n], "service",
              fmt::format("backup domain {} of customer \"{}\": max_backup_domains is {}",
                          n + 1, customer.id, customer.max_backup_domains));
      }
    }
  }

  // The names that customers have to publish as MX records.
  void mx_names() {
    std::size_t feeds = 0, backups = 0;
    for (const auto& domain : config_.domains) {
      if (!is_relayed(domain)) continue;
      ++(domain.settings->service == Service::feed ? feeds : backups);
    }
    const auto check = [&](std::string_view key, bool is_missing, std::size_t count,
                           std::string_view service) {
      if (!is_missing || count == 0) return;
      config_.warnings.push_back(
          {Place{}, "", std::string(key),
           fmt::format("missing: the names for the MX records of {} {} domain{}", count,
                       service, count == 1 ? "" : "s")});
    };
    check("mx", config_.gateway.mx.empty(), feeds, "feed");
    check("backup_mx", config_.gateway.backup_mx.empty(), backups, "backup");
  }

  void shared_store() {
    const auto& gateway = config_.gateway;
    if (gateway.greylist.store != kRedisStore || !gateway.redis.servers.empty()) return;
    config_.errors.push_back(
        {Place{}, "", "greylist.store", "needs the servers of Redis: [redis]"});
  }

  void quarantine_host() {
    const auto& [name, place] = config_.gateway.quarantine_host;
    if (name.empty()) return;
    const auto* const host = config_.gateway.find_host(name);
    if (host == nullptr) {
      config_.errors.push_back({place, "", "quarantine.host",
                                fmt::format("there is no [[host]] {}", in_quotes(name))});
      return;
    }
    // It takes mail from these only.
    for (const auto& one : config_.gateway.hosts) {
      if (!one.addresses.empty() || one.name.empty()) continue;
      config_.errors.push_back(
          {one.place, fmt::format("host {}", in_quotes(one.name)), "addresses",
           &one == host
               ? fmt::format("missing: the other hosts deliver to them what they hold "
                             "(quarantine.host, {})",
                             config_.describe(place))
               : fmt::format("missing: the quarantine host takes mail from the addresses "
                             "of the others only (quarantine.host, {})",
                             config_.describe(place))});
    }
  }

  // SPF never confirms a sender that is not checked.
  void listed_senders() {
    const auto& gateway = config_.gateway.greylist;
    if (gateway.spf_timeout.count() != 0) return;
    for (const auto& [key, list] : {std::pair("greylist.allow", &GreylistPolicy::allow),
                                    std::pair("greylist.deny", &GreylistPolicy::deny)}) {
      AlikeWarnings warnings(config_, key);
      for (const auto& domain : config_.domains) {
        if (!has_senders(domain.settings->policy.greylist.*list)) continue;
        warnings.add(domain.place_of(domain_setting(key)),
                     [] { return std::string(kNeedsSpf); });
      }
    }
    if (has_senders(gateway.allow) || has_senders(gateway.deny)) {
      config_.warnings.push_back({Place{}, "", "greylist", kNeedsSpf});
    }
    if (!gateway.blocklists.empty()) {
      config_.warnings.push_back({Place{}, "", "blocklists.greylist", kNeedsTime});
    }
  }

  // What its server refuses would come back.
  void postmaster() {
    const auto& [address, place] = config_.gateway.postmaster;
    if (address.empty()) return;
    std::string_view name = std::string_view(address).substr(address.rfind('@') + 1);
    for (bool is_own = true; !name.empty(); is_own = false) {
      const auto* const domain = config_.find(name);
      if (domain != nullptr && is_relayed(*domain) &&
          (is_own || domain->settings->policy.subdomains)) {
        config_.errors.push_back(
            {place, "", "postmaster",
             fmt::format("must not be in a configured domain, as it is in \"{}\" ({}): "
                         "it gets what customers' servers refuse",
                         domain->name, config_.describe(domain->place))});
        return;
      }
      const auto dot = name.find('.');
      name.remove_prefix(dot == std::string_view::npos ? name.size() : dot + 1);
    }
  }

  // What is larger than the scanner takes.
  void scan_limits() {
    const auto& size_row = domain_setting("max_size");
    AlikeWarnings too_large(config_, "max_size");
    for (const auto& domain : config_.domains) {
      if (!is_relayed(domain)) continue;
      const auto size = domain.settings->max_size;
      const Place size_place = domain.place_of(size_row);
      const auto scanned = config_.gateway.virus.max_file_size;
      if (size > scanned) {
        too_large.add(size_place.line != 0 ? size_place : domain.place, [&] {
          return fmt::format(
              "{} is above max_file_size in [virus] ({}): a larger message is "
              "unscannable",
              format_size(size), format_size(scanned));
        });
      }
    }
  }

 private:
  // Where the key was written, else where the name was.
  void error(const DomainConfig& domain, std::string_view key, std::string cause) {
    Place place = domain.place_of(domain_setting(key));
    if (place.line == 0) place = domain.place;
    config_.errors.push_back({place, fmt::format("domain \"{}\"", domain.name),
                              std::string(key), std::move(cause)});
  }

  void check_greylist(const DomainConfig& domain) {
    const GreylistPolicy& own = domain.settings->policy.greylist;
    const GreylistPolicy& base = config_.gateway.base.policy.greylist;
    for (const auto& [key, member] :
         {std::pair("greylist.delay", &GreylistPolicy::delay),
          std::pair("greylist.unverified_delay", &GreylistPolicy::unverified_delay),
          std::pair("greylist.trap_delay", &GreylistPolicy::trap_delay)}) {
      // That of [greylist] was checked there.
      if (own.*member == base.*member || own.*member < own.retry_window) continue;
      error(domain, key,
            fmt::format("must be below retry_window ({})",
                        format_duration(own.retry_window)));
    }
  }

  void check(const DomainConfig& domain) {
    const auto& settings = *domain.settings;
    for (const auto& host : config_.gateway.hosts) {
      if (host.name == domain.name) {
        error(domain, "name", "must not be the name of a gateway host");
      }
    }
    check_greylist(domain);
    if (settings.service == Service::backup) check_backup(domain);
    check_recipients(domain);
    if (settings.service == Service::mailbox) check_mailboxes(domain);
    if (is_relayed(domain) && domain.place_of(servers_row_).line == 0) {
      error(domain, "deliver_to", "missing: the IP address of the customer's server");
    }
    if (is_relayed(domain)) check_delivery(domain);
    for (const auto& server : domain.deliver_to) {
      const auto cause = why_not(server);
      if (!cause.empty()) {
        error(domain, "deliver_to", fmt::format("{}: {}", server.str(), cause));
      }
    }
  }

  void check_delivery(const DomainConfig& domain) {
    const auto& settings = *domain.settings;
    if (settings.tls == "dane") {
      error(domain, "tls",
            "\"dane\" is not available in this version; use \"verify\" or a fingerprint");
    }
    // Whoever gets the address next would get the mail too.
    const bool is_proved =
        settings.tls.starts_with("verify") || settings.tls.starts_with("fingerprint");
    if (settings.dynamic_address && !is_proved) {
      error(domain, "dynamic_address",
            "needs tls with level \"verify\" or a fingerprint: another host may get the "
            "address");
    }
    if (!settings.deliver_to_mx) return;
    if (settings.service != Service::backup) {
      error(domain, "deliver_to",
            "\"mx\" is for a backup: the MX records of a feed lead to the gateways");
    }
    if (settings.recipients == "callout") {
      error(domain, "recipients",
            "\"callout\" cannot be combined with deliver_to = \"mx\": give the server");
    }
    if (settings.policy.subdomains) {
      error(domain, "deliver_to",
            "\"mx\" cannot be combined with subdomains = true: configure the subdomains "
            "as domains of their own");
    }
  }

  void check_recipients(const DomainConfig& domain) {
    const auto& settings = *domain.settings;
    if (!is_relayed(domain)) return;
    const bool has_list =
        settings.recipients != "any" && settings.recipients != "callout";
    if (has_list && settings.policy.subdomains) {
      error(domain, "recipients",
            "a list cannot be combined with subdomains = true: configure the subdomains "
            "as domains of their own");
    }
    const auto command = settings.recipient_command();
    if (!command.empty() && config_.find_recipient_command(command) == nullptr) {
      error(domain, "recipients",
            fmt::format("there is no [[recipient_command]] {}", in_quotes(command)));
    }
    if (settings.blocklist == Blocklist::reject && config_.gateway.blocklists.empty()) {
      error(domain, "blocklist", "\"reject\" needs lists: reject in [blocklists]");
    }
  }

  // Its mail stays here, so nobody else can say who is there.
  void check_mailboxes(const DomainConfig& domain) {
    const auto& settings = *domain.settings;
    if (settings.state == DomainState::removed) return;
    if (settings.policy.subdomains) {
      error(domain, "subdomains",
            "cannot be combined with service = \"mailbox\": configure the subdomains as "
            "domains of their own");
    }
    if (settings.standby_mailboxes) {
      error(domain, "standby_mailboxes",
            "cannot be combined with service = \"mailbox\": there is no server to wait "
            "for");
    }
    const auto has = [&](std::string_view user) {
      return std::ranges::any_of(
          settings.mailboxes, [&](const MailboxConfig& one) { return one.user == user; });
    };
    if (const auto hosts = config_.gateway.hosts.size(); hosts > 1) {
      config_.warnings.push_back(
          {domain.place, fmt::format("domain \"{}\"", domain.name), "service",
           fmt::format(
               "each of the {} hosts delivers to mailboxes of its own: publish one "
               "of them only",
               hosts)});
    }
    if (!has("postmaster")) {
      config_.warnings.push_back(
          {domain.place, fmt::format("domain \"{}\"", domain.name), "mailbox",
           settings.mailboxes.empty()
               ? "there are no mailboxes yet: all its mail is put off; see mxfeed "
                 "mailbox "
                 "create"
               : "there is no mailbox postmaster, whose mail must be taken (RFC 5321, "
                 "4.5.1)"});
    }
  }

  void check_backup(const DomainConfig& domain) {
    const auto& settings = *domain.settings;
    if (!is_relayed(domain)) return;
    if (settings.requested.empty()) {
      error(domain, "requested",
            "missing: a backup needs a record of who asked for it and when");
    }
    if (settings.acknowledged.empty()) {
      error(domain, "acknowledged",
            "missing: a backup needs a record of who confirmed it and when");
    }
    if (domain.customer == DomainConfig::kNoCustomer) {
      error(domain, "service", "a backup needs a customer: add [customer] to the file");
      return;
    }
    const auto& customer = config_.customers[domain.customer];
    if (customer.backup == BackupRight::suspended) {
      config_.warnings.push_back(
          {domain.place, fmt::format("domain \"{}\"", domain.name), "",
           fmt::format("not relayed: backups of customer \"{}\" are suspended ({})",
                       customer.id, config_.describe(customer.place))});
    }
    if (customer.backup == BackupRight::refused) {
      error(domain, "service",
            fmt::format("backups are refused for customer \"{}\" ({})", customer.id,
                        config_.describe(customer.place)));
    }
  }

  // Why mail cannot be delivered to the server; empty if it can, or if only the DNS can
  // tell.
  std::string why_not(const Endpoint& server) const {
    if (server.address() != nullptr) {
      return why_undeliverable(config_.gateway, *server.address());
    }
    return is_gateway_name(config_.gateway, *server.name())
               ? "the name of a gateway: mail would loop"
               : "";
  }

  Config& config_;
  const Setting<DomainSettings>& servers_row_ = domain_setting("deliver_to");
};

void sort_by_place(std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return a.place < b.place; });
}

}  // namespace

void check_config(Config& config, bool complete) {
  Checker checker(config);
  checker.customers();
  // Without mxfeed.toml or a customer's file, these checks would report false errors.
  if (complete) {
    checker.domains();
    checker.tls();
    checker.backup_limits();
    checker.scan_limits();
    checker.mx_names();
    checker.postmaster();
    checker.shared_store();
    checker.quarantine_host();
    checker.listed_senders();
  }
  sort_by_place(config.errors);
  sort_by_place(config.warnings);
}

}  // namespace mxfeed
