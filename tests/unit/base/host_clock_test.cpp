// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/host_clock.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time kNow(seconds(1'700'000'000));

HostClock clock_at(Time now, seconds since_boot, const char* boot_id = "a") {
  return {now, since_boot, boot_id, true};
}

struct StepCase {
  const char* name;
  HostClock then, now;
  bool stepped;
};

const StepCase kSteps[] = {
    {"a minute later", clock_at(kNow, hours(1)),
     clock_at(kNow + minutes(1), hours(1) + minutes(1)), false},
    {"drifted", clock_at(kNow, hours(1)),
     clock_at(kNow + minutes(1) + seconds(30), hours(1) + minutes(1)), false},
    {"set forward", clock_at(kNow, hours(1)),
     clock_at(kNow + minutes(1) + seconds(31), hours(1) + minutes(1)), true},
    {"set back", clock_at(kNow, hours(1)),
     clock_at(kNow - hours(240), hours(1) + minutes(1)), true},
    {"suspended for days", clock_at(kNow, hours(1)),
     clock_at(kNow + hours(96), hours(97)), false},
    {"off for days", clock_at(kNow, hours(1)),
     clock_at(kNow + hours(144), minutes(1), "b"), false},
    {"started in the past", clock_at(kNow, hours(1)),
     clock_at(kNow - seconds(1), minutes(1), "b"), true},
};

TEST_CASE("a step of the clock is noticed", "[base]") {
  for (const auto& c : kSteps) {
    DYNAMIC_SECTION(c.name) {
      const auto mark = next_mark(next_mark(std::nullopt, c.then), c.now);
      CHECK(mark.stepped.has_value() == c.stepped);
      CHECK(clock_obstacle(mark, c.now).empty() == !c.stepped);
    }
  }
}

TEST_CASE("after a step the clock is trusted in ten minutes", "[base]") {
  auto mark = next_mark(std::nullopt, clock_at(kNow, hours(1)));
  mark = next_mark(mark, clock_at(kNow + hours(240), hours(1)));
  for (int minute = 1; minute < 12; ++minute) {
    const auto now =
        clock_at(kNow + hours(240) + minutes(minute), hours(1) + minutes(minute));
    mark = next_mark(mark, now);
    CHECK(clock_obstacle(mark, now).empty() == (minute >= 10));
  }
}

TEST_CASE("a clock that is not synchronised is not trusted", "[base]") {
  auto clock = clock_at(kNow, hours(1));
  const auto mark = next_mark(std::nullopt, clock);
  CHECK(clock_obstacle(mark, clock).empty());
  clock.is_synchronised = false;
  CHECK_FALSE(clock_obstacle(mark, clock).empty());
}

TEST_CASE("the clock of this host can be read", "[base]") {
  const auto clock = read_host_clock();
  CHECK(clock.boot_id.size() == 36);
  CHECK(clock.since_boot > seconds(0));
  CHECK(clock.booted() < clock.now);
}

}  // namespace
}  // namespace mxfeed
