// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/removals.h"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace mxfeed {
namespace {

// Keeps what should be refused but may still have mail in the queue.
void keep_refused(Generated& next, const Generated& previous, const Waits& waits) {
  const auto keep = [&](Row& row, const RelayKey& key) {
    if (row != Row::refused) return;
    const auto before = decide(previous, key);
    if (is_relayed(before.row) || (before.row == Row::kept && waits(before.key))) {
      row = Row::kept;
    }
  };
  for (auto& one : next.hosted) {
    keep(one.own, one.name);
    if (one.below == Row::refused) keep(one.below, "." + one.name);
  }
}

// Keeps what was relayed or kept before and has no row now.
void keep_removed(Generated& next, const std::set<std::string, std::less<>>& refused,
                  const Generated& previous, const Waits& waits, Time now_is) {
  PolicyIndex policies(next.policies);
  std::vector<Hosted> kept;
  auto now = next.hosted.begin();
  for (const auto& before : previous.hosted) {
    while (now != next.hosted.end() && now->name < before.name) ++now;
    const bool has_row = now != next.hosted.end() && now->name == before.name;
    // The usual case first.
    if (has_row && (now->below != Row::none || before.below == Row::none)) continue;
    if (is_covered(next, before.name)) continue;
    Time gone_since = before.gone_since;
    if (is_relayed(before.own) || is_relayed(before.below)) gone_since = now_is;
    if (has_row || refused.contains(before.name)) gone_since = Time();
    const bool is_gone =
        gone_since != Time() && now_is < gone_since + next.use.removal_grace;
    const auto may_wait = [&](Row row, const RelayKey& key) {
      return is_relayed(row) || (row == Row::kept && (is_gone || waits(key)));
    };
    const bool below_waits = may_wait(before.below, "." + before.name);
    if (has_row) {
      if (below_waits) now->below = Row::kept;
    } else if (below_waits || may_wait(before.own, before.name)) {
      Hosted removed = before;
      removed.own = before.own == Row::refused ? Row::none : Row::kept;
      removed.below = before.below == Row::none || before.below == Row::refused
                          ? Row::none
                          : Row::kept;
      removed.gone_since = gone_since;
      removed.intake = is_gone ? Intake::gone : Intake::open;
      DomainPolicy policy = previous.policies.at(before.policy);
      policy.content_class = 0;
      removed.policy = policies.add(std::move(policy));
      kept.push_back(std::move(removed));
    }
  }
  merge_into(next, std::move(kept));
}

void keep_unknown(Generated& next, const Generated& previous) {
  for (const auto& [name, fields] : previous.unknown) {
    if (next.find(name) != nullptr) next.unknown.emplace(name, fields);
  }
  std::erase_if(next.unknown,
                [&](const auto& one) { return next.find(one.first) == nullptr; });
}

void assign_classes(Generated& next) {
  std::unordered_map<std::string, std::uint32_t> classes;
  for (auto& policy : next.policies) policy.content_class = 0;
  for (const auto& one : next.hosted) {
    auto& policy = next.policies[one.policy];
    if (policy.content_class != 0) continue;
    DomainPolicy content;
    content.virus = policy.virus;
    content.attachments = policy.attachments;
    content.spam = policy.spam;
    content.max_size = policy.max_size;
    const auto number = static_cast<std::uint32_t>(classes.size() + 1);
    policy.content_class = classes.emplace(encode(content), number).first->second;
  }
}

}  // namespace

Wanted wanted_again(Generated earlier) {
  std::vector<Hosted> removed;
  std::erase_if(earlier.hosted, [&](Hosted& one) {
    if (is_relayed(one.own)) return false;
    removed.push_back(one);
    return true;
  });
  for (auto& one : earlier.hosted) {
    if (!is_relayed(one.below)) one.below = Row::none;
  }
  for (auto& one : removed) {
    const bool had_below = one.below == one.own && one.own != Row::none;
    one.own = Row::refused;
    one.below = had_below ? Row::refused : Row::none;
  }
  std::erase_if(earlier.recipients,
                [&](const auto& one) { return earlier.find(one.first) == nullptr; });
  // Names that a parent would relay stay refused.
  add_refused(earlier, std::move(removed));
  return {std::move(earlier), {}};
}

Generated complete(Wanted wanted, const Generated& previous, const Waits& waits,
                   Time now) {
  Generated next = std::move(wanted.draft);
  keep_refused(next, previous, waits);
  keep_removed(next, wanted.refused, previous, waits, now);
  keep_unknown(next, previous);
  assign_classes(next);
  return next;
}

std::vector<RelayKey> kept_keys(const Generated& previous) {
  std::vector<RelayKey> keys;
  for (const auto& one : previous.hosted) {
    if (one.own == Row::kept) keys.push_back(one.name);
    if (one.below == Row::kept) keys.push_back("." + one.name);
  }
  return keys;
}

RecipientRemovals find_recipient_removals(const std::vector<std::string>& next,
                                          const std::vector<std::string>& previous) {
  RecipientRemovals removals{0, previous.size()};
  auto now = next.begin();
  for (const auto& before : previous) {
    while (now != next.end() && *now < before) ++now;
    if (now == next.end() || *now != before) ++removals.removed;
  }
  return removals;
}

Removals find_removals(const Wanted& wanted, const Generated& previous) {
  Removals removals;
  removals.nothing_left =
      std::none_of(wanted.draft.hosted.begin(), wanted.draft.hosted.end(),
                   [](const Hosted& one) { return is_relayed(one.own); });
  auto now = wanted.draft.hosted.begin();
  for (const auto& before : previous.hosted) {
    if (!is_relayed(before.own)) continue;
    ++removals.of;
    while (now != wanted.draft.hosted.end() && now->name < before.name) ++now;
    const bool is_same = now != wanted.draft.hosted.end() && now->name == before.name &&
                         is_relayed(now->own);
    if (!is_same && !relays(wanted.draft, before.name)) {
      removals.names.push_back(before.name);
    }
  }
  return removals;
}

}  // namespace mxfeed
