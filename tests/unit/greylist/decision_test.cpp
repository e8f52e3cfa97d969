// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/decision.h"

#include <algorithm>
#include <limits>
#include <map>
#include <random>

#include "tests/support/catch.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;
using enum Slot;

constexpr int kDay = 86'400;
constexpr int kKeep = 36 * kDay;

constexpr Time at(int s) {
  return Time{seconds{s}};
}

// What a store would have.
using Records = std::map<Slot, Record>;

Look look_in(const Records& records) {
  return [&records](Slot slot) -> std::optional<Record> {
    const auto found = records.find(slot);
    if (found == records.end()) return std::nullopt;
    return found->second;
  };
}

void carry_out(const Decision& decision, Records& records) {
  for (const auto& [slot, record] : decision.changes) {
    if (record) {
      records[slot] = *record;
    } else {
      records.erase(slot);
    }
  }
}

Terms terms(bool is_verified) {
  Terms made;
  made.is_verified = is_verified;
  if (!is_verified) made.best_passes = kOtherPasses;
  return made;
}

Record waiting_since(int s) {
  return {at(s), at(s), at(s + kDay), 0};
}
Record passed_at(int first, int last, std::uint32_t passes = 1) {
  return {at(first), at(last), at(last + kKeep), passes};
}

struct Case {
  const char* name;
  bool is_verified;
  Records records;
  int now;
  Outcome outcome;
  int wait;
  std::vector<Change> changes;
};

const Case kCases[] = {
    {"never seen",
     false,
     {},
     1000,
     Outcome::first_seen,
     180,
     {{network_waiting, waiting_since(1000)}}},
    {"never seen, verified",
     true,
     {},
     1000,
     Outcome::first_seen,
     180,
     {{best_waiting, waiting_since(1000)}, {network_waiting, waiting_since(1000)}}},
    {"one second early",
     false,
     {{network_waiting, waiting_since(1000)}},
     1179,
     Outcome::too_early,
     1,
     {}},
    {"exactly on time",
     false,
     {{network_waiting, waiting_since(1000)}},
     1180,
     Outcome::passed,
     0,
     {{network_passed, passed_at(1000, 1180)},
      {network_waiting, std::nullopt},
      {network_identity, passed_at(1180, 1180)},
      {host, passed_at(1180, 1180)}}},
    {"last second of the window",
     false,
     {{network_waiting, waiting_since(1000)}},
     87'400,
     Outcome::passed,
     0,
     {{network_passed, passed_at(1000, 87'400)},
      {network_waiting, std::nullopt},
      {network_identity, passed_at(87'400, 87'400)},
      {host, passed_at(87'400, 87'400)}}},
    {"one second past the window",
     false,
     {{network_waiting, waiting_since(1000)}},
     87'401,
     Outcome::first_seen,
     180,
     {{network_waiting, waiting_since(87'401)}}},
    {"verified in the second try only",
     true,
     {{network_waiting, waiting_since(1000)}},
     1180,
     Outcome::passed,
     0,
     {{best_passed, passed_at(1000, 1180)},
      {best_waiting, std::nullopt},
      {best_identity, passed_at(1180, 1180)},
      {network_passed, passed_at(1000, 1180)},
      {network_waiting, std::nullopt},
      {network_identity, passed_at(1180, 1180)},
      {host, passed_at(1180, 1180)}}},
    {"verified in an early second try only",
     true,
     {{network_waiting, waiting_since(1000)}},
     1100,
     Outcome::too_early,
     80,
     {{best_waiting, Record{at(1000), at(1100), at(1000 + kDay), 0}},
      {network_waiting, Record{at(1000), at(1100), at(1000 + kDay), 0}}}},
    {"another address of a verified pool",
     true,
     {{best_waiting, waiting_since(1000)}},
     1180,
     Outcome::passed,
     0,
     {{best_passed, passed_at(1000, 1180)},
      {best_waiting, std::nullopt},
      {best_identity, passed_at(1180, 1180)},
      {network_passed, passed_at(1000, 1180)},
      {network_waiting, std::nullopt},
      {network_identity, passed_at(1180, 1180)},
      {host, passed_at(1180, 1180)}}},
    {"the network has passed an hour ago",
     false,
     {{network_waiting, waiting_since(5000)}, {network_identity, passed_at(1000, 1600)}},
     5200,
     Outcome::passed,
     0,
     {{network_passed, passed_at(5000, 5200)},
      {network_waiting, std::nullopt},
      {network_identity, passed_at(1000, 5200, 2)},
      {host, passed_at(5200, 5200)}}},
    {"the network has passed within the hour",
     false,
     {{network_waiting, waiting_since(1000)}, {network_identity, passed_at(900, 1000)}},
     1180,
     Outcome::passed,
     0,
     {{network_passed, passed_at(1000, 1180)},
      {network_waiting, std::nullopt},
      {host, passed_at(1180, 1180)}}},
    {"known, seen a second ago",
     false,
     {{network_passed, passed_at(1000, 2000)}},
     2001,
     Outcome::known,
     0,
     {}},
    {"known, seen a day ago",
     false,
     {{network_passed, passed_at(1000, 2000)}},
     88'400,
     Outcome::known,
     0,
     {{network_passed, passed_at(1000, 88'400, 2)}, {host, passed_at(88'400, 88'400)}}},
    {"known, forgotten",
     false,
     {{network_passed, passed_at(1000, 2000)}},
     2001 + kKeep,
     Outcome::first_seen,
     180,
     {{network_waiting, waiting_since(2001 + kKeep)}}},
    {"an identity that has passed once",
     true,
     {{best_identity, passed_at(1000, 1000)}},
     1001,
     Outcome::known_identity,
     0,
     {}},
    {"a network that has passed once",
     false,
     {{network_identity, passed_at(1000, 1000)}},
     1001,
     Outcome::first_seen,
     180,
     {{network_waiting, waiting_since(1001)}}},
    {"a network that has passed twice",
     false,
     {{network_identity, passed_at(1000, 5000, 2)}},
     5001,
     Outcome::known_identity,
     0,
     {}},
    {"an identity, seen a day ago",
     true,
     {{best_identity, passed_at(1000, 1000)}},
     1000 + kDay,
     Outcome::known_identity,
     0,
     {{best_identity, passed_at(1000, 1000 + kDay, 2)},
      {host, passed_at(1000 + kDay, 1000 + kDay)}}},
    {"an identity, forgotten",
     true,
     {{best_identity, passed_at(1000, 1000)}},
     1001 + kKeep,
     Outcome::first_seen,
     180,
     {{best_waiting, waiting_since(1001 + kKeep)},
      {network_waiting, waiting_since(1001 + kKeep)}}},
    {"waiting, clock went backwards",
     false,
     {{network_waiting, waiting_since(1000)}},
     10,
     Outcome::too_early,
     180,
     {{network_waiting, waiting_since(10)}}},
    {"known, clock went backwards",
     false,
     {{network_passed, passed_at(1000, 2000, 3)}},
     10,
     Outcome::known,
     0,
     {{network_passed, passed_at(10, 10, 4)}, {host, passed_at(10, 10)}}},
    {"others of the network of a verified sender",
     true,
     {{network_identity, passed_at(1000, 5000, 2)}},
     5001,
     Outcome::first_seen,
     180,
     {{best_waiting, waiting_since(5001)}, {network_waiting, waiting_since(5001)}}},
    {"a host that has passed once",
     false,
     {{host, passed_at(1000, 1000)}},
     1001,
     Outcome::first_seen,
     180,
     {{network_waiting, waiting_since(1001)}}},
    {"a host that has passed twice",
     false,
     {{host, passed_at(1000, 5000, 2)}},
     5001,
     Outcome::known_identity,
     0,
     {}},
    {"a provider, without a verified domain",
     false,
     {{provider, passed_at(1000, 1000)}},
     1001,
     Outcome::first_seen,
     180,
     {{network_waiting, waiting_since(1001)}}},
};

TEST_CASE("a greylist decision follows the table", "[greylist]") {
  for (const Case& c : kCases) {
    DYNAMIC_SECTION(c.name) {
      const Decision got = decide(look_in(c.records), at(c.now), terms(c.is_verified));
      CHECK(got.outcome == c.outcome);
      CHECK(got.wait.count() == c.wait);
      CHECK(got.changes == c.changes);
    }
  }
}

TEST_CASE("mail of verified domains from a provider that has passed is known",
          "[greylist]") {
  Terms of_provider = terms(true);
  of_provider.has_provider = true;
  const Records records{{best_waiting, waiting_since(1000)}};
  const Decision first = decide(look_in(records), at(1180), of_provider);
  CHECK(std::ranges::find(first.changes, Change{provider, passed_at(1180, 1180)}) !=
        first.changes.end());
  const Records known{{provider, passed_at(1180, 1180)}};
  CHECK(decide(look_in(known), at(1181), of_provider).outcome == Outcome::known_identity);
}

TEST_CASE("who cannot be verified waits longer", "[greylist]") {
  GreylistPolicy policy;
  CHECK(terms_of(policy, true).delay == seconds(180));
  CHECK(terms_of(policy, false).delay == seconds(900));
  policy.delay = seconds(1800);
  CHECK(terms_of(policy, false).delay == seconds(1800));
}

TEST_CASE("a wait that is made longer ends before its window does", "[greylist]") {
  GreylistPolicy policy;
  policy.retry_window = seconds(600);
  policy.unverified_delay = seconds(600);
  CHECK(terms_of(policy, false).retry_window == seconds(1200));
  Terms longer = terms_of(policy, true);
  CHECK(longer.retry_window == seconds(600));
  lengthen(longer, seconds(3600));
  CHECK(longer.delay == seconds(3600));
  CHECK(longer.retry_window == seconds(7200));
  lengthen(longer, seconds(60));
  CHECK(longer.delay == seconds(3600));
}

TEST_CASE("the number of messages that have passed does not wrap", "[greylist]") {
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  const Records records{{host, passed_at(1, 2, kMost)}};
  const auto decision = decide(look_in(records), at(2 * kDay), terms(false));
  REQUIRE(decision.changes.size() == 1);
  CHECK(decision.changes[0].record->passes == kMost);
}

TEST_CASE("mail that Postfix has deferred begins to wait", "[greylist]") {
  const auto changes = [](const Records& records, int now, const Terms& of) {
    return begin(look_in(records), at(now), of).changes;
  };
  using Changes = std::vector<Change>;
  CHECK(changes({}, 1000, terms(true)) ==
        Changes{{best_waiting, waiting_since(1000)},
                {network_waiting, waiting_since(1000)}});
  // Not anew, and not if it need not wait.
  CHECK(changes({{network_waiting, waiting_since(1000)}}, 1100, terms(false)).empty());
  CHECK(changes({{network_waiting, waiting_since(1000)}}, 9000, terms(false)).empty());
  CHECK(changes({{network_passed, passed_at(1, 2)}}, kDay * 2, terms(false)).empty());
  CHECK(changes({{host, passed_at(1, 2, 2)}}, kDay * 2, terms(false)).empty());
  Terms flooded = terms(false);
  flooded.may_wait = false;
  CHECK(changes({}, 1000, flooded).empty());
}

TEST_CASE("who has passed has waited since the first try", "[greylist]") {
  const Records records{{network_waiting, waiting_since(1000)}};
  CHECK(decide(look_in(records), at(1500), terms(false)).waited == seconds(500));
}

TEST_CASE("in a flood new senders are deferred and not remembered", "[greylist]") {
  Terms flooded = terms(false);
  flooded.may_wait = false;
  const Decision got = decide(look_in({}), at(1000), flooded);
  CHECK(got.outcome == Outcome::flood);
  CHECK_FALSE(got.lets_through());
  CHECK(got.changes.empty());
  // Who waits already is not concerned.
  const Records records{{network_waiting, waiting_since(1000)}};
  CHECK(decide(look_in(records), at(1180), flooded).outcome == Outcome::passed);
}

TEST_CASE("further recipients of a message that passes are recorded as passed",
          "[greylist]") {
  struct Following {
    const char* name;
    Records records;
    int now;
    Outcome outcome;
    std::vector<Change> changes;
  };
  const Following cases[] = {
      {"never seen",
       {},
       1000,
       Outcome::passed,
       {{network_passed, passed_at(1000, 1000)}, {network_waiting, std::nullopt}}},
      {"waiting",
       {{network_waiting, waiting_since(1000)}},
       1001,
       Outcome::passed,
       {{network_passed, passed_at(1000, 1001)}, {network_waiting, std::nullopt}}},
      {"expired",
       {{network_waiting, waiting_since(1000)}},
       87'401,
       Outcome::passed,
       {{network_passed, passed_at(87'401, 87'401)}, {network_waiting, std::nullopt}}},
      {"known", {{network_passed, passed_at(1000, 2000)}}, 2001, Outcome::known, {}},
  };
  for (const auto& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const Decision got = follow(look_in(c.records), at(c.now), terms(false), true);
      CHECK(got.outcome == c.outcome);
      CHECK(got.changes == c.changes);
    }
  }
}

TEST_CASE("further recipients of a message that is deferred begin to wait",
          "[greylist]") {
  struct Following {
    const char* name;
    Records records;
    int now;
    Outcome outcome;
    int wait;
    std::vector<Change> changes;
  };
  const Following cases[] = {
      {"never seen",
       {},
       1000,
       Outcome::first_seen,
       180,
       {{network_waiting, waiting_since(1000)}}},
      {"waiting",
       {{network_waiting, waiting_since(1000)}},
       1060,
       Outcome::too_early,
       120,
       {}},
      {"waiting long enough",
       {{network_waiting, waiting_since(1000)}},
       1500,
       Outcome::too_early,
       0,
       {}},
      {"known",
       {{network_passed, passed_at(1000, 2000)}},
       2001,
       Outcome::too_early,
       0,
       {}},
  };
  for (const auto& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const Decision got = follow(look_in(c.records), at(c.now), terms(false), false);
      CHECK(got.outcome == c.outcome);
      CHECK(got.wait.count() == c.wait);
      CHECK(got.changes == c.changes);
    }
  }
}

TEST_CASE("early retries do not make the wait longer", "[greylist]") {
  Records records;
  for (int t = 1000; t < 1180; ++t) {
    const Decision got = decide(look_in(records), at(t), terms(t % 3 == 0));
    CHECK_FALSE(got.lets_through());
    carry_out(got, records);
  }
  CHECK(decide(look_in(records), at(1180), terms(false)).lets_through());
}

// Random times forward, with an identity that is verified or not.
TEST_CASE("who has passed is not deferred again while remembered", "[greylist]") {
  std::mt19937 random(GENERATE(1u, 2u, 3u, 4u, 5u));
  for (int round = 0; round < 200; ++round) {
    Records records;
    const bool is_verified = random() % 2 == 0;
    int now = 1000;
    bool has_passed = false;
    for (int i = 0; i < 60; ++i) {
      const Decision got = decide(look_in(records), at(now), terms(is_verified));
      if (has_passed) CHECK(got.lets_through());
      has_passed = has_passed || got.lets_through();
      carry_out(got, records);
      now += static_cast<int>(random() % (random() % 4 == 0 ? 35 * kDay : 400));
    }
  }
}

// Whatever the clock does.
TEST_CASE("a sender that tries often enough passes within the delay", "[greylist]") {
  std::mt19937 random(GENERATE(1u, 2u, 3u));
  for (int round = 0; round < 200; ++round) {
    Records records;
    for (int i = 0; i < 10; ++i) {
      carry_out(decide(look_in(records), at(static_cast<int>(random() % 1'000'000)),
                       terms(random() % 2 == 0)),
                records);
    }
    // From now on the clock is right.
    const int now = static_cast<int>(random() % 1'000'000);
    carry_out(decide(look_in(records), at(now), terms(false)), records);
    CHECK(decide(look_in(records), at(now + 180), terms(false)).lets_through());
  }
}

}  // namespace
}  // namespace mxfeed::greylist
