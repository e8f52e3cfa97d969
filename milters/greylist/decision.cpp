// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/decision.h"

#include <algorithm>
#include <limits>
#include <span>

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

constexpr seconds kRewrite{86'400};
constexpr seconds kCountedAgain{3600};

// The three slots of one identity.
struct Slots {
  Slot identity, passed, waiting;
};
constexpr std::array kBoth{
    Slots{Slot::best_identity, Slot::best_passed, Slot::best_waiting},
    Slots{Slot::network_identity, Slot::network_passed, Slot::network_waiting}};

// Those of the client.
std::span<const Slots> slots_of(const Terms& terms) {
  return std::span(kBoth).subspan(terms.is_verified ? 0 : 1);
}

std::uint32_t passes_needed(Slot slot, const Terms& terms) {
  switch (slot) {
    case Slot::best_identity:
      return terms.best_passes;
    case Slot::provider:
      return kProviderPasses;
    default:
      return kOtherPasses;
  }
}

std::optional<Record> valid(const Look& look, Slot slot, Time now) {
  auto record = look(slot);
  if (record && now > record->expires) record.reset();
  return record;
}

// Also of a record whose times lie in the future: a clock that was once wrong must not
// keep it for ever.
bool is_to_be_written(const Record& record, Time now, seconds again) {
  return now - record.last_seen >= again || now < record.last_seen;
}

Record used_again(const Record& record, Time now, const Terms& terms) {
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  const auto passes = record.passes == kMost ? kMost : record.passes + 1;
  return {std::min(record.first_seen, now), now, now + terms.keep, passes};
}

void count_pass(Slot slot, const Look& look, Time now, const Terms& terms,
                Decision& decision) {
  const auto identity = valid(look, slot, now);
  if (!identity) {
    decision.changes.push_back({slot, Record{now, now, now + terms.keep, 1}});
  } else if (is_to_be_written(*identity, now, kCountedAgain)) {
    decision.changes.push_back({slot, used_again(*identity, now, terms)});
  }
}

// Of the host and the provider, for any sender.
void count_pass_of_host(const Look& look, Time now, const Terms& terms,
                        Decision& decision) {
  count_pass(Slot::host, look, now, terms, decision);
  if (terms.has_provider) count_pass(Slot::provider, look, now, terms, decision);
}

Decision known(Outcome outcome, Slot slot, const Record& record, const Look& look,
               Time now, const Terms& terms) {
  Decision decision{outcome, {}, {}, {}};
  if (!is_to_be_written(record, now, kRewrite)) return decision;
  decision.changes.push_back({slot, used_again(record, now, terms)});
  if (slot != Slot::host && slot != Slot::provider) {
    count_pass_of_host(look, now, terms, decision);
  }
  return decision;
}

std::optional<Decision> find_trusted(Slot slot, const Look& look, Time now,
                                     const Terms& terms) {
  if (terms.only_this_mail) return std::nullopt;
  const auto identity = valid(look, slot, now);
  if (!identity || identity->passes < passes_needed(slot, terms)) return std::nullopt;
  return known(Outcome::known_identity, slot, *identity, look, now, terms);
}

// The sender has passed before, or others of its identity, or of the host.
std::optional<Decision> find_known(const Look& look, Time now, const Terms& terms) {
  for (const Slots& one : slots_of(terms)) {
    // Others of its network say nothing of a sender with a better identity.
    const bool counts = !terms.is_verified || one.identity == Slot::best_identity;
    auto found = counts ? find_trusted(one.identity, look, now, terms) : std::nullopt;
    if (found) return found;
    if (const auto passed = valid(look, one.passed, now)) {
      return known(Outcome::known, one.passed, *passed, look, now, terms);
    }
  }
  if (auto found = find_trusted(Slot::host, look, now, terms)) return found;
  if (!terms.has_provider) return std::nullopt;
  return find_trusted(Slot::provider, look, now, terms);
}

void remember_waiting(Time first_seen, Time now, const Terms& terms, Decision& decision) {
  for (const Slots& one : slots_of(terms)) {
    decision.changes.push_back(
        {one.waiting, Record{first_seen, now, first_seen + terms.retry_window, 0}});
  }
}

// When the sender was first seen, by whichever identity; `is_complete` if by all.
struct Waiting {
  std::optional<Time> since;
  bool is_complete = true;
};
Waiting find_waiting(const Look& look, Time now, const Terms& terms) {
  Waiting found;
  for (const Slots& one : slots_of(terms)) {
    const auto record = valid(look, one.waiting, now);
    if (!record) {
      found.is_complete = false;
    } else if (!found.since || record->first_seen < *found.since) {
      found.since = record->first_seen;
    }
  }
  return found;
}

Decision begin_waiting(Time now, const Terms& terms) {
  if (!terms.may_wait) return {Outcome::flood, terms.delay, {}, {}};
  Decision decision{Outcome::first_seen, terms.delay, {}, {}};
  remember_waiting(now, now, terms, decision);
  return decision;
}

Decision wait_on(const Waiting& waiting, Time now, const Terms& terms) {
  // If it lies in the future, the clock was once wrong: the sender must not be deferred
  // until then.
  const bool is_ahead = now < *waiting.since;
  const Time since = is_ahead ? now : *waiting.since;
  Decision decision{
      Outcome::too_early, std::max(terms.delay - (now - since), seconds(0)), {}, {}};
  if (is_ahead || (!waiting.is_complete && terms.may_wait)) {
    remember_waiting(since, now, terms, decision);
  }
  return decision;
}

// What has waited is removed: the waiting records that expire are of senders that never
// came back.
Decision pass(const Waiting& waiting, const Look& look, Time now, const Terms& terms) {
  Decision decision{Outcome::passed, seconds(0), now - *waiting.since, {}};
  for (const Slots& one : slots_of(terms)) {
    decision.changes.push_back(
        {one.passed, Record{*waiting.since, now, now + terms.keep, 1}});
    decision.changes.push_back({one.waiting, std::nullopt});
    count_pass(one.identity, look, now, terms, decision);
  }
  count_pass_of_host(look, now, terms, decision);
  return decision;
}

}  // namespace

Terms terms_of(const GreylistPolicy& policy, bool is_verified) {
  Terms terms;
  terms.is_verified = is_verified;
  terms.delay =
      is_verified ? policy.delay : std::max(policy.delay, policy.unverified_delay);
  terms.retry_window = policy.retry_window;
  terms.keep = policy.keep;
  lengthen(terms, terms.delay);
  return terms;
}

void lengthen(Terms& terms, std::chrono::seconds delay) {
  terms.delay = std::max(terms.delay, delay);
  // A wait that is longer than the window would never end.
  terms.retry_window = std::max(terms.retry_window, 2 * terms.delay);
}

Decision decide(const Look& look, Time now, const Terms& terms) {
  if (auto decision = find_known(look, now, terms)) return *std::move(decision);
  const Waiting waiting = find_waiting(look, now, terms);
  if (!waiting.since) return begin_waiting(now, terms);
  if (now - *waiting.since < terms.delay) return wait_on(waiting, now, terms);
  return pass(waiting, look, now, terms);
}

Decision begin(const Look& look, Time now, const Terms& terms) {
  if (auto decision = find_known(look, now, terms)) {
    decision->changes.clear();
    return *std::move(decision);
  }
  if (find_waiting(look, now, terms).since) return {Outcome::too_early, {}, {}, {}};
  return begin_waiting(now, terms);
}

Decision follow(const Look& look, Time now, const Terms& terms, bool let_through) {
  auto decision = find_known(look, now, terms);
  if (let_through) {
    if (decision) return *std::move(decision);
    Waiting waiting = find_waiting(look, now, terms);
    waiting.since = std::min(waiting.since.value_or(now), now);
    Decision passed{Outcome::passed, seconds(0), now - *waiting.since, {}};
    for (const Slots& one : slots_of(terms)) {
      passed.changes.push_back(
          {one.passed, Record{*waiting.since, now, now + terms.keep, 1}});
      passed.changes.push_back({one.waiting, std::nullopt});
    }
    return passed;
  }
  if (decision) return {Outcome::too_early, seconds(0), {}, {}};
  const Waiting waiting = find_waiting(look, now, terms);
  return waiting.since ? wait_on(waiting, now, terms) : begin_waiting(now, terms);
}

}  // namespace mxfeed::greylist
