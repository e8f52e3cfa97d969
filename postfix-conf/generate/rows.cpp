// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/rows.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mxfeed {

std::string_view to_string(Row row) {
  switch (row) {
    case Row::none:
      return "none";
    case Row::active:
      return "active";
    case Row::paused:
      return "paused";
    case Row::protect:
      return "protect";
    case Row::kept:
      return "kept";
    case Row::refused:
      return "refused";
  }
  return "";
}

std::optional<Row> parse_row(std::string_view text) {
  for (const Row row :
       {Row::none, Row::active, Row::paused, Row::protect, Row::kept, Row::refused}) {
    if (to_string(row) == text) return row;
  }
  return std::nullopt;
}

std::string_view to_string(Intake intake) {
  switch (intake) {
    case Intake::open:
      return "open";
    case Intake::suspended:
      return "suspended";
    case Intake::gone:
      return "gone";
  }
  return "";
}

std::optional<Intake> parse_intake(std::string_view text) {
  for (const Intake intake : {Intake::open, Intake::suspended, Intake::gone}) {
    if (to_string(intake) == text) return intake;
  }
  return std::nullopt;
}

const Hosted* Generated::find(std::string_view name) const {
  const auto found = std::lower_bound(
      hosted.begin(), hosted.end(), name,
      [](const Hosted& one, std::string_view wanted) { return one.name < wanted; });
  return found != hosted.end() && found->name == name ? &*found : nullptr;
}

bool same(const Generated& a, const Generated& b) {
  GatewayPolicy gateway = a.gateway;
  gateway.generation = b.gateway.generation;
  const auto same_row = [&](const Hosted& one, const Hosted& other) {
    Hosted alike = other;
    alike.policy = one.policy;  // the numbers may differ
    return one == alike && a.policies.at(one.policy) == b.policies.at(other.policy);
  };
  return gateway == b.gateway && a.foreign == b.foreign && a.recipients == b.recipients &&
         a.mailboxes == b.mailboxes && a.unknown == b.unknown && a.main_cf == b.main_cf &&
         a.master_cf == b.master_cf && a.local == b.local && a.site == b.site &&
         a.use == b.use &&
         std::equal(a.hosted.begin(), a.hosted.end(), b.hosted.begin(), b.hosted.end(),
                    same_row);
}

void merge_into(Generated& generated, std::vector<Hosted> more) {
  auto& hosted = generated.hosted;
  const auto middle = hosted.insert(hosted.end(), std::make_move_iterator(more.begin()),
                                    std::make_move_iterator(more.end()));
  std::inplace_merge(hosted.begin(), middle, hosted.end(),
                     [](const Hosted& a, const Hosted& b) { return a.name < b.name; });
}

void add_refused(Generated& generated, std::vector<Hosted> refused) {
  std::erase_if(refused,
                [&](const Hosted& one) { return !is_covered(generated, one.name); });
  merge_into(generated, std::move(refused));
}

PolicyIndex::PolicyIndex(std::vector<DomainPolicy>& policies) : policies_(policies) {
  for (std::uint32_t i = 0; i < policies.size(); ++i) {
    by_value_.emplace(encode(policies[i]), i);
  }
}

std::uint32_t PolicyIndex::add(DomainPolicy policy) {
  policy.name.clear();
  policy.subdomains = false;
  // Most sites have few policies.
  constexpr std::size_t kCompared = 4;
  for (std::uint32_t i = 0; i < std::min(policies_.size(), kCompared); ++i) {
    if (policies_[i] == policy) return i;
  }
  const auto next = static_cast<std::uint32_t>(policies_.size());
  const auto [found, is_new] = by_value_.emplace(encode(policy), next);
  if (is_new) policies_.push_back(std::move(policy));
  return found->second;
}

namespace {

Decision decide_by_parent(const Generated& generated, std::string_view name) {
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    name.remove_prefix(dot + 1);
    const auto* const parent = generated.find(name);
    if (parent != nullptr && parent->below != Row::none) {
      return {parent->below, "." + parent->name};
    }
  }
  return {};
}

}  // namespace

Decision decide(const Generated& generated, const RelayKey& key) {
  const bool is_below = key.starts_with('.');
  const auto name = std::string_view(key).substr(is_below ? 1 : 0);
  const auto* const hosted = generated.find(name);
  const Row row = hosted == nullptr ? Row::none : is_below ? hosted->below : hosted->own;
  return row == Row::none ? decide_by_parent(generated, name) : Decision{row, key};
}

bool is_covered(const Generated& generated, std::string_view name) {
  return is_relayed(decide_by_parent(generated, name).row);
}

bool relays(const Generated& generated, const RelayKey& key) {
  return is_relayed(decide(generated, key).row);
}

const MailboxRow* find_mailbox(const Generated& generated, std::string_view domain,
                               std::string_view user) {
  const auto& all = generated.mailboxes;
  const auto found =
      std::lower_bound(all.begin(), all.end(), std::pair(domain, user),
                       [](const MailboxRow& one, const auto& wanted) {
                         return std::pair<std::string_view, std::string_view>(
                                    one.domain, one.user) < wanted;
                       });
  return found != all.end() && found->domain == domain && found->user == user ? &*found
                                                                              : nullptr;
}

}  // namespace mxfeed
