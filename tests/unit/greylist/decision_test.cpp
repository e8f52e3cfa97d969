// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/decision.h"

#include "tests/support/catch.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

constexpr Time at(int s) {
  return Time{seconds{s}};
}
const Record kWaiting{at(1000), at(1000), at(1000 + 86'400), 0};
const Record kPassed{at(1000), at(2000), at(2000 + 3'110'400), 3};

struct Case {
  const char* name;
  std::optional<Record> seen;
  Time now;
  Outcome outcome;
  int wait;
  std::optional<Record> write;
};

const Case kCases[] = {
    {"never seen", std::nullopt, at(1000), Outcome::first_seen, 180, kWaiting},
    {"one second early", kWaiting, at(1179), Outcome::too_early, 1, std::nullopt},
    {"exactly on time", kWaiting, at(1180), Outcome::passed, 0,
     Record{at(1000), at(1180), at(1180 + 3'110'400), 1}},
    {"last second of the window", kWaiting, at(87'400), Outcome::passed, 0,
     Record{at(1000), at(87'400), at(87'400 + 3'110'400), 1}},
    {"one second past the window", kWaiting, at(87'401), Outcome::first_seen, 180,
     Record{at(87'401), at(87'401), at(173'801), 0}},
    {"known, seen a second ago", kPassed, at(2001), Outcome::known, 0, std::nullopt},
    {"known, seen a day ago", kPassed, at(88'400), Outcome::known, 0,
     Record{at(1000), at(88'400), at(88'400 + 3'110'400), 4}},
    {"known, forgotten", kPassed, at(3'112'401), Outcome::first_seen, 180,
     Record{at(3'112'401), at(3'112'401), at(3'198'801), 0}},
    {"waiting, clock went backwards", kWaiting, at(10), Outcome::too_early, 180,
     Record{at(10), at(10), at(86'410), 0}},
    {"known, clock went backwards", kPassed, at(10), Outcome::known, 0,
     Record{at(10), at(10), at(3'110'410), 4}},
};

void check(const Case& c, const Decision& got) {
  CHECK(got.outcome == c.outcome);
  CHECK(got.wait.count() == c.wait);
  CHECK(got.write == c.write);
}

TEST_CASE("a greylist decision follows the table", "[greylist]") {
  for (const Case& c : kCases) {
    DYNAMIC_SECTION(c.name) {
      check(c, decide(c.seen, c.now, GreylistPolicy{}));
    }
  }
}

TEST_CASE("further recipients of a message that passes are recorded as passed",
          "[greylist]") {
  const Case cases[] = {
      {"never seen", std::nullopt, at(1000), Outcome::passed, 0,
       Record{at(1000), at(1000), at(1000 + 3'110'400), 1}},
      {"waiting", kWaiting, at(1001), Outcome::passed, 0,
       Record{at(1000), at(1001), at(1001 + 3'110'400), 1}},
      {"expired", kWaiting, at(87'401), Outcome::passed, 0,
       Record{at(87'401), at(87'401), at(87'401 + 3'110'400), 1}},
      {"known", kPassed, at(2001), Outcome::known, 0, std::nullopt},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      check(c, follow(c.seen, c.now, GreylistPolicy{}, true));
    }
  }
}

TEST_CASE("further recipients of a message that is deferred begin to wait",
          "[greylist]") {
  const Case cases[] = {
      {"never seen", std::nullopt, at(1000), Outcome::first_seen, 180, kWaiting},
      {"waiting", kWaiting, at(1060), Outcome::too_early, 120, std::nullopt},
      {"waiting long enough", kWaiting, at(1500), Outcome::too_early, 0, std::nullopt},
      {"known", kPassed, at(2001), Outcome::too_early, 0, std::nullopt},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      check(c, follow(c.seen, c.now, GreylistPolicy{}, false));
    }
  }
}

TEST_CASE("early retries do not make the wait longer", "[greylist]") {
  std::optional<Record> record;
  const GreylistPolicy policy;
  for (int t = 1000; t < 1180; ++t) {
    const Decision got = decide(record, at(t), policy);
    CHECK_FALSE(got.lets_through());
    if (got.write) record = got.write;
  }
  CHECK(decide(record, at(1180), policy).lets_through());
}

TEST_CASE("who has passed is not deferred again while remembered", "[greylist]") {
  const GreylistPolicy policy;
  std::optional<Record> record = decide(kWaiting, at(1180), policy).write;
  // Once in 35 days is enough to be remembered for 36.
  for (int t = 2000; t < 40'000'000; t += 35 * 86'400) {
    const Decision got = decide(record, at(t), policy);
    CHECK(got.outcome == Outcome::known);
    if (got.write) record = got.write;
  }
}

}  // namespace
}  // namespace mxfeed::greylist
