// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/compile.h"

#include <algorithm>
#include <set>
#include <utility>

#include "postfix-conf/config/settings.h"
#include "postfix-conf/generate/main_cf.h"

namespace mxfeed {
namespace {

DomainPolicy policy_of(const DomainSettings& settings) {
  DomainPolicy policy = settings.policy;
  policy.max_size = settings.max_size;
  // What has no effect while spam is off must not make classes.
  if (!policy.spam.enabled) {
    policy.spam = {};
    policy.teaching = {};
  }
  if (!policy.attachments.has_rules()) policy.attachments = {};
  return policy;
}

// The customers with an address for reports.  Only their domains are told apart: every
// other policy is that of all domains with the same settings.
std::set<std::uint32_t> reporting_customers(const Config& config) {
  std::set<std::uint32_t> customers;
  for (const auto& domain : config.domains) {
    const DomainPolicy& policy = domain.settings->policy;
    if (domain.customer != DomainConfig::kNoCustomer && policy.spam.enabled &&
        policy.teaching.has_reports()) {
      customers.insert(domain.customer);
    }
  }
  return customers;
}

// Who may report to the domain.
void add_reporters(const DomainConfig& domain, const Config& config,
                   const std::set<std::uint32_t>& customers, TeachingPolicy& teaching) {
  if (customers.contains(domain.customer)) {
    teaching.customer = config.customers[domain.customer].id;
  }
  if (!teaching.has_reports()) return;
  for (const auto& server : domain.deliver_to) {
    if (const auto* const address = server.address()) {
      teaching.servers.push_back({*address, address->is_v4() ? 32u : 128u});
    }
  }
}

std::string route_of(const DomainConfig& domain) {
  if (domain.settings->service == Service::mailbox) return {};
  // transport(5): a name without brackets stands for its MX hosts.
  if (domain.settings->deliver_to_mx) return domain.name;
  std::string route;
  for (const auto& server : domain.deliver_to) {
    if (!route.empty()) route += ", ";
    route += server.str();
  }
  return route;
}

// Whether this host takes mail for it.
bool is_taken(const DomainConfig& domain, const Config& config) {
  const auto& s = *domain.settings;
  if (s.state == DomainState::removed) return false;
  switch (s.service) {
    case Service::feed:
      return true;
    case Service::backup:
      return domain.customer != DomainConfig::kNoCustomer &&
             config.customers[domain.customer].backup == BackupRight::allowed;
    case Service::mailbox:
      return true;
    case Service::direct:
      break;
  }
  return false;
}

void add_mailboxes(const DomainConfig& domain, std::vector<MailboxRow>& all) {
  const auto& settings = *domain.settings;
  bool has_catch_all = false;
  for (const auto& one : settings.mailboxes) {
    all.push_back({domain.name, one.user, one.password});
    has_catch_all = has_catch_all || one.user == kCatchAllUser;
  }
  if (settings.standby_mailboxes && !has_catch_all) {
    all.push_back({domain.name, std::string(kCatchAllUser), ""});
  }
}

bool holds_mail(const DomainPolicy& policy) {
  if (policy.virus.infected == VirusAction::quarantine ||
      policy.virus.unscannable == VirusAction::quarantine ||
      (policy.attachments.has_rules() &&
       policy.attachments.action == AttachmentAction::quarantine)) {
    return true;
  }
  const auto& rules = policy.spam.rules;
  return policy.spam.enabled &&
         std::any_of(rules.begin(), rules.end(), [](const SpamRule& rule) {
           return rule.action == SpamAction::quarantine;
         });
}

Row row_of(DomainState state) {
  switch (state) {
    case DomainState::active:
    case DomainState::suspended:
      return Row::active;
    case DomainState::paused:
      return Row::paused;
    case DomainState::protect:
      return Row::protect;
    case DomainState::removed:
      break;
  }
  return Row::refused;
}

}  // namespace

Wanted compile(const Config& config, const HostConfig* local, const std::string& state,
               const Site& site) {
  Wanted wanted;
  Generated& draft = wanted.draft;
  const auto& gateway = config.gateway;
  draft.gateway.trusted_networks = gateway.trusted_networks;
  draft.gateway.scan_other_mail = gateway.dedicated || gateway.scan_other_mail;
  draft.gateway.smtputf8 = gateway.smtputf8;
  if (local != nullptr) {
    draft.gateway.host_name = local->name;
    for (const auto& address : local->addresses) {
      draft.gateway.host_addresses.push_back({address, address.is_v4() ? 32u : 128u});
    }
  }
  draft.gateway.greylist = gateway.greylist;
  draft.gateway.virus = gateway.virus;
  draft.gateway.spam = gateway.spam;
  draft.gateway.redis = gateway.redis;

  draft.foreign.greylist.when = GreylistWhen::never;
  const auto& defaults = config.defaults;
  draft.foreign.virus = defaults.policy.virus;
  draft.foreign.quarantine = defaults.policy.quarantine;

  const auto& max_size = domain_setting("max_size");
  std::chrono::seconds longest{0};
  std::uint64_t largest = 0;
  bool uses_authorities = false;
  bool uses_quarantine = false;
  PolicyIndex policies(draft.policies);
  const auto reporting = reporting_customers(config);
  std::vector<Hosted> refused;
  draft.hosted.reserve(config.domains.size());
  for (const auto& domain : config.domains) {
    const auto& s = *domain.settings;
    const bool taken = is_taken(domain, config);
    const bool is_here = s.service == Service::mailbox;
    Hosted hosted;
    hosted.name = domain.name;
    hosted.own = taken ? row_of(s.state) : Row::refused;
    hosted.below = s.policy.subdomains ? hosted.own : Row::none;
    hosted.service = s.service;
    hosted.queue_lifetime = s.queue_lifetime;
    if (domain.customer != DomainConfig::kNoCustomer) {
      hosted.customer = config.customers[domain.customer].id;
    }
    hosted.route = route_of(domain);
    hosted.extended_until = s.extend_until;
    hosted.on_refusal = s.on_refusal;
    hosted.while_up = s.backup_while_up;
    hosted.queue_quota = s.queue_quota;
    const bool is_suspended =
        s.state == DomainState::suspended || (is_here && s.mailboxes.empty());
    hosted.intake = is_suspended ? Intake::suspended : Intake::open;
    hosted.blocklist = s.blocklist == Blocklist::reject;
    hosted.callout = s.recipients == "callout" && s.service != Service::mailbox;
    hosted.while_down = s.callout_while_down;
    hosted.tls = s.tls;
    hosted.standby = taken && !is_here && s.standby_mailboxes;
    DomainPolicy policy = policy_of(s);
    add_reporters(domain, config, reporting, policy.teaching);
    uses_quarantine = uses_quarantine || (taken && policy.teaching.is_used());
    hosted.policy = policies.add(std::move(policy));
    if (!taken) {
      wanted.refused.insert(hosted.name);
      refused.push_back(std::move(hosted));
      continue;
    }
    if (is_here && !s.mailboxes.empty()) {
      auto& users = draft.recipients[domain.name];
      for (const auto& one : s.mailboxes) users.push_back(one.user);
    } else if (const auto list = config.recipients.find(domain.name);
               !is_here && list != config.recipients.end()) {
      draft.recipients.insert(*list);
    }
    add_mailboxes(domain, draft.mailboxes);
    uses_quarantine = uses_quarantine || holds_mail(s.policy);
    uses_authorities = uses_authorities || hosted.tls.starts_with("verify");
    draft.hosted.push_back(std::move(hosted));
    longest = std::max(longest, s.queue_lifetime);
    largest = std::max(largest, s.max_size);
    if (s.max_size > draft.use.largest_message && domain.place_of(max_size).line != 0) {
      draft.use.largest_message = s.max_size;
      draft.use.largest_of = domain.name;
    }
  }
  std::ranges::sort(draft.mailboxes);
  add_refused(draft, std::move(refused));
  if (largest == 0) largest = defaults.max_size;
  draft.use.dedicated = gateway.dedicated;
  draft.use.longest_lifetime = longest;
  draft.use.services = gateway.services;
  draft.use.allow_private = gateway.allow_private;
  draft.use.removal_grace = gateway.removal_grace;
  draft.use.mailbox_keep = gateway.mailbox_keep;
  const QuarantineSite quarantine = quarantine_site(gateway, local);
  draft.main_cf = main_cf_parameters({.state = state,
                                      .dedicated = gateway.dedicated,
                                      .verifiers = gateway.verifiers,
                                      .sealers = gateway.sealers,
                                      .smtputf8 = gateway.smtputf8,
                                      .largest_message = largest,
                                      .blocklists = gateway.blocklists,
                                      .hosts = gateway.hosts,
                                      .allow_private = gateway.allow_private,
                                      .connections = gateway.connections,
                                      .rate_delay = gateway.rate_delay,
                                      .quarantine = quarantine});
  draft.master_cf = master_cf_services({.state = state,
                                        .local = local,
                                        .uses_authorities = uses_authorities,
                                        .postmaster = gateway.postmaster.value,
                                        .dedicated = gateway.dedicated,
                                        .quarantine = quarantine});
  draft.gateway.quarantine.is_reachable = uses_quarantine;
  draft.use.quarantine_host = quarantine.host;
  for (const auto& server : quarantine.servers) {
    draft.use.quarantine_servers.push_back(server.str());
  }
  fit_site(draft, site, state);
  return wanted;
}

}  // namespace mxfeed
