// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/import/adoption.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/text.h"
#include "common/mail/envelope.h"
#include "common/net/organisation.h"
#include "milters/greylist/identity.h"

namespace mxfeed::greylist {
namespace {

// Postfix gives its policy services addresses without quoting, and milters with it.
Path path_of(std::string_view address) {
  const auto at = std::min(address.rfind('@'), address.size());
  return {std::string(address.substr(0, at)),
          std::string(address.substr(std::min(at + 1, address.size())))};
}

Recipient recipient_of(std::string_view address) {
  auto [local_part, domain] = path_of(address);
  return {std::move(local_part), ascii_lower(domain)};
}

Identities unverified(const ForeignRecord& record,
                      const GatewayPolicy::Greylist& gateway) {
  return identities_of({record.client, {}}, record.sender, {}, gateway);
}

std::variant<Adoption, Fate> adopt_pair(const ForeignRecord& record,
                                        const std::optional<DomainPolicy>& domain,
                                        const GatewayPolicy::Greylist& gateway) {
  if (!domain) return Fate::other_domain;
  const GreylistPolicy& policy = domain->greylist;
  Adoption adoption{keys_of(unverified(record, gateway), path_of(record.sender).str(),
                            recipient_of(record.recipient), domain->name),
                    {}};
  const auto add = [&](Slot slot, Time expires) {
    adoption.records.push_back(
        {slot, Record{record.first_seen, record.last_seen, expires, record.passes}});
  };
  if (record.state == ForeignState::waiting) {
    if (record.sender.find('#') != std::string::npos) return Fate::altered;
    add(Slot::network_waiting, record.first_seen + policy.retry_window);
  } else {
    add(Slot::network_passed, record.last_seen + policy.keep);
    add(Slot::network_identity, record.last_seen + policy.keep);
  }
  return adoption;
}

Adoption adopt_client(const ForeignRecord& record,
                      const GatewayPolicy::Greylist& gateway) {
  Identities who = unverified(record, gateway);
  // Of no domain: the first use of the record gives it the times of one.
  const Record known{record.first_seen, record.last_seen,
                     record.last_seen + GreylistPolicy().keep, record.passes};
  if (record.state == ForeignState::host) {
    return {keys_of(who, {}, {}, {}), {{Slot::host, known}}};
  }
  const auto at = record.sender.rfind('@');
  who.best = {IdentityKind::domain,
              organisation_of(ascii_lower(record.sender.substr(at + 1)))};
  return {keys_of(who, record.sender, {}, {}),
          {{Slot::network_identity, known}, {Slot::best_identity, known}}};
}

std::optional<Record> valid(const Look& look, Slot slot, Time now) {
  auto found = look(slot);
  if (found && found->expires < now) found.reset();
  return found;
}

Record joined(const Record& a, const Record& b) {
  return {std::min(a.first_seen, b.first_seen), std::max(a.last_seen, b.last_seen),
          std::max(a.expires, b.expires), std::max(a.passes, b.passes)};
}

// An identity counts at most one pass an hour.
Record counted(const Record& there, const Record& pass) {
  constexpr std::chrono::hours kCountedAgain{1};
  Record record = joined(there, pass);
  record.passes = there.passes;
  if (std::chrono::abs(there.last_seen - pass.last_seen) >= kCountedAgain) {
    record.passes += pass.passes;
  }
  return record;
}

}  // namespace

std::variant<Adoption, Fate> adopt(const ForeignRecord& record,
                                   const std::optional<DomainPolicy>& domain,
                                   const GatewayPolicy::Greylist& gateway, Time now) {
  // A clock that was once wrong must not make a record valid for long.
  ForeignRecord clamped = record;
  clamped.last_seen = std::min(record.last_seen, now);
  clamped.first_seen = std::min(record.first_seen, clamped.last_seen);
  const bool is_pair =
      record.state == ForeignState::passed || record.state == ForeignState::waiting;
  auto adopted = is_pair ? adopt_pair(clamped, domain, gateway)
                         : std::variant<Adoption, Fate>(adopt_client(clamped, gateway));
  const auto* const adoption = std::get_if<Adoption>(&adopted);
  if (adoption != nullptr && adoption->records.front().record->expires < now) {
    return Fate::expired;
  }
  return adopted;
}

Decision merge(const Adoption& adoption, const Look& look, Time now) {
  Decision decision;
  const auto& [slot, record] = adoption.records.front();
  const bool is_known_pair =
      (slot == Slot::network_passed || slot == Slot::network_waiting) &&
      valid(look, slot, now).has_value();
  if (slot == Slot::network_waiting &&
      (is_known_pair || valid(look, Slot::network_passed, now))) {
    return decision;
  }
  for (const Change& change : adoption.records) {
    // The pass of the network that is counted with a pair, once.
    const bool counts =
        slot == Slot::network_passed && change.slot == Slot::network_identity;
    if (counts && is_known_pair) continue;
    const auto there = valid(look, change.slot, now);
    if (!there) {
      decision.changes.push_back(change);
      continue;
    }
    const Record next =
        counts ? counted(*there, *change.record) : joined(*there, *change.record);
    if (next.passes > there->passes || next.last_seen > there->last_seen) {
      decision.changes.push_back({change.slot, next});
    }
  }
  return decision;
}

}  // namespace mxfeed::greylist
