// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/compile.h"

#include <algorithm>
#include <utility>

#include "postfix-conf/generate/main_cf.h"

namespace mxfeed {
namespace {

DomainPolicy policy_of(const DomainConfig& domain, const GatewayConfig& gateway) {
  const auto& s = *domain.settings;
  DomainPolicy policy;
  policy.greylist = gateway.greylist_defaults;
  policy.greylist.when = s.greylist_when.value;
  policy.greylist.shadow = s.greylist_shadow.value;
  if (s.greylist_delay.value) policy.greylist.delay = *s.greylist_delay.value;
  policy.virus = {s.virus_infected.value, s.virus_unscannable.value,
                  s.virus_encrypted.value};
  // What has no effect while spam is off must not make classes.
  if (s.spam_enabled.value) {
    policy.spam = {true,
                   s.spam_immature_acts.value,
                   gateway.spam_begins,
                   {SpamRule{}, s.spam_low.value, s.spam_med.value, s.spam_high.value}};
  }
  return policy;
}

std::string route_of(const std::vector<Endpoint>& servers) {
  std::string route;
  for (const auto& server : servers) {
    if (!route.empty()) route += ", ";
    route += server.str();
  }
  return route;
}

// Whether this host takes mail for it.
bool is_taken(const DomainConfig& domain, const Config& config) {
  const auto& s = *domain.settings;
  if (s.state.value == DomainState::removed) return false;
  switch (s.service.value) {
    case Service::feed:
      return true;
    case Service::backup:
      return domain.customer != DomainConfig::kNoCustomer &&
             config.customers[domain.customer].backup == BackupRight::allowed;
    case Service::direct:
    case Service::mailbox:
      break;
  }
  return false;
}

Row row_of(DomainState state) {
  switch (state) {
    case DomainState::active:
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

Wanted compile(const Config& config, const HostConfig* local, const std::string& state) {
  Wanted wanted;
  Generated& draft = wanted.draft;
  const auto& gateway = config.gateway;
  draft.gateway.trusted_networks = gateway.trusted_networks;
  draft.gateway.greylist = gateway.greylist;
  draft.gateway.virus = gateway.virus;

  draft.foreign.greylist.when = GreylistWhen::never;
  const auto& defaults = config.defaults;
  draft.foreign.virus = {defaults.virus_infected.value, defaults.virus_unscannable.value,
                         defaults.virus_encrypted.value};

  std::chrono::seconds longest{0};
  std::uint64_t largest = 0;
  PolicyIndex policies(draft.policies);
  std::vector<Hosted> refused;
  draft.hosted.reserve(config.domains.size());
  for (const auto& domain : config.domains) {
    const auto& s = *domain.settings;
    const bool taken = is_taken(domain, config);
    Hosted hosted;
    hosted.name = domain.name;
    hosted.own = taken ? row_of(s.state.value) : Row::refused;
    hosted.below = s.subdomains.value ? hosted.own : Row::none;
    hosted.service = s.service.value;
    hosted.queue_lifetime = s.queue_lifetime.value;
    if (domain.customer != DomainConfig::kNoCustomer) {
      hosted.customer = config.customers[domain.customer].id;
    }
    hosted.route = route_of(domain.deliver_to.value);
    hosted.policy = policies.add(policy_of(domain, gateway));
    if (!taken) {
      refused.push_back(std::move(hosted));
      continue;
    }
    draft.hosted.push_back(std::move(hosted));
    longest = std::max(longest, s.queue_lifetime.value);
    largest = std::max(largest, s.max_size.value);
  }
  add_refused(draft, std::move(refused));
  if (largest == 0) largest = defaults.max_size.value;
  draft.main_cf = main_cf_parameters(state, longest, largest, gateway.smtputf8, local);
  draft.master_cf = master_cf_services();
  return wanted;
}

}  // namespace mxfeed
