// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "common/base/text.h"
#include "postfix-conf/generate/maps.h"

namespace mxfeed {
namespace {

DomainPolicy policy_of(const DomainConfig& domain, const GatewayConfig& gateway) {
  const auto& s = domain.settings;
  DomainPolicy policy;
  policy.name = domain.name;
  policy.subdomains = s.subdomains.value;
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

bool is_taken(const DomainConfig& domain, const Config& config) {
  const auto& s = domain.settings;
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

bool has_row_below(const Hosted& hosted) {
  return hosted.subdomains || hosted.subdomains_removed;
}

bool covers_below(const Hosted& hosted) {
  return hosted.is_relayed() && hosted.subdomains;
}

// Whether a parent of the name relays all names below it: the nearest that has a row for
// them, as Postfix looks them up.
bool is_covered(const Generated& generated, std::string_view name) {
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    name.remove_prefix(dot + 1);
    const auto* const parent = generated.find(name);
    if (parent != nullptr && has_row_below(*parent)) return covers_below(*parent);
  }
  return false;
}

// Both in rising order of name.
void merge_into(std::vector<Hosted>& hosted, std::vector<Hosted> more) {
  const auto middle = hosted.insert(hosted.end(), std::make_move_iterator(more.begin()),
                                    std::make_move_iterator(more.end()));
  std::inplace_merge(hosted.begin(), middle, hosted.end(),
                     [](const Hosted& a, const Hosted& b) { return a.name < b.name; });
}

std::string_view state_word(const Hosted& hosted) {
  return hosted.refused ? "refused" : word(hosted.state);
}

std::string summary(const Hosted& hosted) {
  const std::string_view below = hosted.subdomains ? ", subdomains" : "";
  if (!hosted.is_relayed()) return fmt::format("{}{}", state_word(hosted), below);
  return fmt::format("{} {} {}{}", word(hosted.service), word(hosted.state), hosted.route,
                     below);
}

void add_changes(const Hosted& now, const Hosted& before,
                 std::vector<std::string>& lines) {
  const auto changed = [&](std::string_view what, std::string_view from,
                           std::string_view to) {
    if (from != to) {
      lines.push_back(fmt::format("~ {}: {} {} -> {}", now.name, what, from, to));
    }
  };
  changed("service", word(before.service), word(now.service));
  changed("state", state_word(before), state_word(now));
  changed("route", before.route, now.route);
  changed("subdomains", before.subdomains ? "true" : "false",
          now.subdomains ? "true" : "false");
  changed("queue_lifetime", format_duration(before.queue_lifetime),
          format_duration(now.queue_lifetime));
  changed("customer", before.customer, now.customer);
  if (now.policy.greylist != before.policy.greylist) {
    lines.push_back(fmt::format("~ {}: greylist policy", now.name));
  }
  if (now.policy.virus != before.policy.virus) {
    lines.push_back(fmt::format("~ {}: virus policy", now.name));
  }
  if (now.policy.spam != before.policy.spam) {
    lines.push_back(fmt::format("~ {}: spam policy", now.name));
  }
}

}  // namespace

const Hosted* Generated::find(std::string_view name) const {
  const auto found = std::lower_bound(
      hosted.begin(), hosted.end(), name,
      [](const Hosted& one, std::string_view wanted) { return one.name < wanted; });
  return found != hosted.end() && found->name == name ? &*found : nullptr;
}

Generated compile(const Config& config, const HostConfig* local,
                  const std::string& state) {
  Generated generated;
  const auto& gateway = config.gateway;
  generated.gateway.trusted_networks = gateway.trusted_networks;
  generated.gateway.greylist = gateway.greylist;
  generated.gateway.virus = gateway.virus;

  generated.foreign.greylist.when = GreylistWhen::never;
  const auto& defaults = config.defaults;
  generated.foreign.virus = {defaults.virus_infected.value,
                             defaults.virus_unscannable.value,
                             defaults.virus_encrypted.value};

  std::chrono::seconds longest{0};
  std::uint64_t largest = 0;
  std::vector<Hosted> refused;
  for (const auto& domain : config.domains) {
    const auto& s = domain.settings;
    Hosted hosted;
    hosted.name = domain.name;
    hosted.service = s.service.value;
    hosted.state = s.state.value;
    hosted.subdomains = s.subdomains.value;
    hosted.queue_lifetime = s.queue_lifetime.value;
    if (domain.customer != DomainConfig::kNoCustomer) {
      hosted.customer = config.customers[domain.customer].id;
    }
    hosted.route = route_of(s.deliver_to.value);
    hosted.policy = policy_of(domain, gateway);
    if (!is_taken(domain, config)) {
      hosted.state = DomainState::removed;
      hosted.refused = true;
      refused.push_back(std::move(hosted));
      continue;
    }
    longest = std::max(longest, hosted.queue_lifetime);
    largest = std::max(largest, s.max_size.value);
    generated.hosted.push_back(std::move(hosted));
  }
  // Without a parent's row for them, having none does the same.
  std::erase_if(refused,
                [&](const Hosted& one) { return !is_covered(generated, one.name); });
  merge_into(generated.hosted, std::move(refused));
  if (largest == 0) largest = defaults.max_size.value;
  generated.main_cf =
      main_cf_parameters(state, longest, largest, gateway.smtputf8, local);
  generated.master_cf = master_cf_services();
  return generated;
}

bool relays(const Generated& generated, const RelayKey& key) {
  const bool is_below = key.starts_with('.');
  const auto name = std::string_view(key).substr(is_below ? 1 : 0);
  const auto* const own = generated.find(name);
  if (own == nullptr || (is_below && !has_row_below(*own))) {
    return is_covered(generated, name);
  }
  return is_below ? covers_below(*own) : own->is_relayed();
}

std::vector<RelayKey> kept_keys(const Generated& previous) {
  std::vector<RelayKey> keys;
  for (const auto& one : previous.hosted) {
    if (one.is_kept()) keys.push_back(one.name);
    if (one.subdomains_removed || (one.subdomains && one.is_kept())) {
      keys.push_back("." + one.name);
    }
  }
  return keys;
}

void keep_removed(Generated& next, const Generated& previous,
                  const std::function<bool(const RelayKey&)>& waits) {
  const auto may_wait = [&](const RelayKey& key) {
    return relays(previous, key) || waits(key);
  };
  for (auto& one : next.hosted) {
    if (!one.refused) continue;
    // What waits must not be bounced, though it was a parent's row that took it.
    one.refused = !may_wait(one.name) && !(one.subdomains && may_wait("." + one.name));
  }
  std::vector<Hosted> kept;
  for (const auto& before : previous.hosted) {
    if (before.refused || is_covered(next, before.name)) continue;
    const bool had_below = has_row_below(before);
    const bool below_waits =
        had_below && (covers_below(before) || waits("." + before.name));
    if (const auto* const now = next.find(before.name)) {
      if (!now->subdomains && below_waits) {
        const auto index = static_cast<std::size_t>(now - next.hosted.data());
        next.hosted[index].subdomains_removed = true;
        next.hosted[index].policy.subdomains = true;
      }
    } else if (before.is_relayed() || below_waits || waits(before.name)) {
      Hosted removed = before;
      removed.state = DomainState::removed;
      removed.subdomains = had_below;
      removed.subdomains_removed = false;
      kept.push_back(std::move(removed));
    }
  }
  merge_into(next.hosted, std::move(kept));
}

Generated without_removed(Generated generated) {
  std::vector<Hosted> removed;
  std::erase_if(generated.hosted, [&](const Hosted& one) {
    if (!one.is_relayed()) removed.push_back(one);
    return !one.is_relayed();
  });
  for (auto& one : generated.hosted) {
    one.subdomains_removed = false;
    one.policy.subdomains = one.subdomains;
  }
  std::erase_if(removed,
                [&](const Hosted& one) { return !is_covered(generated, one.name); });
  for (auto& one : removed) one.refused = true;
  merge_into(generated.hosted, std::move(removed));
  return generated;
}

void assign_classes(std::vector<Hosted>& hosted) {
  std::unordered_map<std::string, std::uint32_t> classes;
  for (auto& one : hosted) {
    DomainPolicy content;
    content.virus = one.policy.virus;
    content.spam = one.policy.spam;
    const auto next = static_cast<std::uint32_t>(classes.size() + 1);
    one.policy.content_class = classes.emplace(encode(content), next).first->second;
  }
}

Removals count_removals(const Generated& next, const Generated& previous) {
  Removals removals;
  removals.nothing_left = std::none_of(next.hosted.begin(), next.hosted.end(),
                                       [](const Hosted& h) { return h.is_relayed(); });
  for (const auto& before : previous.hosted) {
    if (!before.is_relayed()) continue;
    ++removals.of;
    if (!relays(next, before.name)) ++removals.count;
  }
  return removals;
}

std::vector<std::string> differences(const Generated& next, const Generated& previous) {
  std::vector<std::string> lines;
  auto now = next.hosted.begin();
  auto before = previous.hosted.begin();
  while (now != next.hosted.end() || before != previous.hosted.end()) {
    if (before == previous.hosted.end() ||
        (now != next.hosted.end() && now->name < before->name)) {
      lines.push_back(fmt::format("+ {}: {}", now->name, summary(*now)));
      ++now;
    } else if (now == next.hosted.end() || before->name < now->name) {
      lines.push_back(
          fmt::format("- {}: {}", before->name,
                      before->refused ? "no longer refused" : "nothing waits any more"));
      ++before;
    } else {
      if (before->is_relayed() && !now->is_relayed()) {
        lines.push_back(fmt::format("- {}: mail that waits is kept", now->name));
      } else {
        add_changes(*now, *before, lines);
      }
      ++now;
      ++before;
    }
  }
  for (const auto& parameter : next.main_cf) {
    const auto same =
        std::find(previous.main_cf.begin(), previous.main_cf.end(), parameter);
    if (same == previous.main_cf.end() && !previous.main_cf.empty()) {
      lines.push_back(
          fmt::format("~ main.cf: {} = {}", parameter.first, parameter.second));
    }
  }
  auto gateway = next.gateway;
  gateway.generation = previous.gateway.generation;
  if (gateway != previous.gateway || next.foreign != previous.foreign) {
    lines.emplace_back("~ settings of the gateway");
  }
  return lines;
}

}  // namespace mxfeed
