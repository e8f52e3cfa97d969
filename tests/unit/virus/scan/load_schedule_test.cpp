// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/load_schedule.h"

#include <vector>

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

EngineSource source(std::string fingerprint, unsigned workers = 1) {
  EngineSource made;
  made.settings.workers = workers;
  made.fingerprint = std::move(fingerprint);
  return made;
}

// What happens, in order; each step passes some time first.
struct Step {
  enum What {
    observe_a,
    observe_b,
    other_settings,
    load,
    succeed,
    fail,
    lose,
    retire
  } what;
  milliseconds after{0};
};
using enum Step::What;

struct Case {
  const char* name;
  std::vector<Step> steps;
  bool asked;
  bool wants;
};

const Case kCases[] = {
    {"the first look waits for files to settle", {{observe_a}}, false, false},
    {"unless somebody asked", {{observe_a}}, true, true},
    {"files settled", {{observe_a}, {observe_a, seconds(2)}}, false, true},
    {"files have just not settled",
     {{observe_a}, {observe_a, milliseconds(1999)}},
     false,
     false},
    {"files change again while they settle",
     {{observe_a}, {observe_b, seconds(1)}, {observe_b, seconds(1)}},
     false,
     false},
    {"one load at a time", {{observe_a}, {load}, {observe_b, seconds(9)}}, true, false},
    {"what is in force is not loaded again",
     {{observe_a}, {load}, {succeed, seconds(9)}, {observe_a, seconds(9)}},
     true,
     false},
    {"files changed while they were loaded",
     {{observe_a}, {load}, {observe_b, seconds(5)}, {succeed, seconds(5)}},
     false,
     true},
    {"other settings do not settle",
     {{observe_a}, {load}, {succeed, seconds(9)}, {other_settings}},
     false,
     true},
    {"a failed load is tried after a pause",
     {{observe_a}, {load, seconds(3)}, {fail}, {observe_a, milliseconds(500)}},
     false,
     true},
    {"but not before",
     {{observe_a}, {load, seconds(3)}, {fail}, {observe_a, milliseconds(499)}},
     false,
     false},
    {"unless somebody asked for it",
     {{observe_a}, {load, seconds(3)}, {fail}, {observe_a, milliseconds(1)}},
     true,
     true},
    {"the second pause is longer",
     {{observe_a},
      {load},
      {fail},
      {load, seconds(9)},
      {fail},
      {observe_a, milliseconds(999)}},
     false,
     false},
    {"and ends",
     {{observe_a}, {load}, {fail}, {load, seconds(9)}, {fail}, {observe_a, seconds(2)}},
     false,
     true},
    {"another set of files does not wait for the pause",
     {{observe_a},
      {load},
      {fail},
      {load},
      {fail},
      {load},
      {fail},
      {observe_b},
      {observe_b, seconds(2)}},
     false,
     true},
    {"files that changed during a load that failed do not wait either",
     {{observe_a},
      {load},
      {fail},
      {load},
      {fail},
      {load},
      {fail},
      {load},
      {observe_b},
      {fail, seconds(2)}},
     false,
     true},
    {"an engine that is lost is loaded at once",
     {{observe_a}, {load}, {succeed}, {lose, seconds(10)}},
     false,
     true},
    {"one that is lost soon after a pause",
     {{observe_a}, {load}, {succeed}, {lose, milliseconds(9999)}},
     false,
     false},
    {"which ends",
     {{observe_a}, {load}, {succeed}, {lose, seconds(1)}, {observe_a, milliseconds(500)}},
     false,
     true},
    {"one that is lost does not wait for new files to settle",
     {{observe_a}, {load}, {succeed}, {observe_b, seconds(60)}, {lose}},
     false,
     true},
    {"nor for the pause of a load that failed while it was in force",
     {{observe_a}, {load}, {succeed}, {observe_b, seconds(60)}, {load}, {fail}, {lose}},
     false,
     true},
    {"what one was retired for is loaded at once",
     {{observe_a}, {load}, {succeed}, {observe_b}, {retire}},
     false,
     true},
    {"and again after a pause if that failed",
     {{observe_a}, {load}, {succeed}, {observe_b}, {retire}, {load}, {fail}},
     false,
     false},
};

struct Run {
  LoadSchedule schedule;
  LoadSchedule::Instant now{};

  void take(const Step& step) {
    now += step.after;
    switch (step.what) {
      case observe_a:
        return schedule.observe(source("a"), now);
      case observe_b:
        return schedule.observe(source("b"), now);
      case other_settings:
        return schedule.observe(source("a", 2), now);
      case load:
        return schedule.load_began();
      case succeed:
        return schedule.load_succeeded(now);
      case fail:
        return schedule.load_failed(now);
      case lose:
        return schedule.engine_lost(now);
      case retire:
        return schedule.engine_retired();
    }
  }
};

TEST_CASE("the schedule says when to load", "[virus]") {
  for (const Case& c : kCases) {
    INFO(c.name);
    Run run;
    run.now += seconds(1000);
    for (const Step& step : c.steps) run.take(step);
    CHECK(run.schedule.wants_load(run.now, c.asked) == c.wants);
  }
}

// The seconds from a failed load to the next attempt, failure after failure.
std::vector<long long> pauses(bool in_force, int failures) {
  Run run;
  run.now += seconds(1000);
  run.take({observe_a});
  if (in_force) {
    run.take({load});
    run.take({succeed});
    run.take({observe_b});
  }
  run.now += seconds(10);
  std::vector<long long> found;
  for (int i = 0; i < failures; ++i) {
    run.take({load});
    run.take({fail});
    const auto begin = run.now;
    while (!run.schedule.wants_load(run.now, false)) run.now += milliseconds(100);
    found.push_back(std::chrono::duration_cast<seconds>(run.now - begin).count());
  }
  return found;
}

TEST_CASE("pauses grow up to a minute, with an engine in force to ten", "[virus]") {
  CHECK(pauses(false, 10) == std::vector<long long>{0, 1, 2, 4, 8, 16, 32, 60, 60, 60});
  CHECK(pauses(true, 13) ==
        std::vector<long long>{0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600});
}

TEST_CASE("a good load ends the pauses", "[virus]") {
  Run run;
  run.now += seconds(1000);
  for (const Step& step : std::vector<Step>{{observe_a},
                                            {load},
                                            {fail},
                                            {load},
                                            {fail},
                                            {load},
                                            {succeed},
                                            {observe_b, seconds(60)},
                                            {load, seconds(5)},
                                            {fail}}) {
    run.take(step);
  }
  CHECK(run.schedule.in_force() == source("a"));
  run.now += LoadSchedule::kFirstPause;
  CHECK(run.schedule.wants_load(run.now, false));
}

}  // namespace
}  // namespace mxfeed::virus
