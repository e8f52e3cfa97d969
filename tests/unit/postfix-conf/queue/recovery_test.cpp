// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/recovery.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Time kNow(std::chrono::seconds(1'700'000'000));
const ServerIdentity kOurs{"aa", "mail.acme.example"};

struct SameCase {
  const char* name;
  ServerIdentity known, met;
  bool same;
};

const SameCase kSame[] = {
    {"equal", kOurs, kOurs, true},
    {"the same certificate, another name", kOurs, {"aa", "new.acme.example"}, true},
    {"a renewed certificate", kOurs, {"bb", "mail.acme.example"}, true},
    {"another server", kOurs, {"bb", "mail.stranger.example"}, false},
    {"the name alone, without TLS", kOurs, {"", "mail.acme.example"}, false},
    {"never had TLS", {"", "mail.acme.example"}, {"", "mail.acme.example"}, true},
    {"has TLS now", {"", "mail.acme.example"}, {"aa", "mail.acme.example"}, true},
    {"another name without TLS", {"", "mail.acme.example"}, {"", "x.example"}, false},
    {"never met", {}, {"cc", "x.example"}, true},
};

TEST_CASE("a server is recognised by certificate or name", "[postfix-conf]") {
  for (const auto& c : kSame) {
    DYNAMIC_SECTION(c.name) {
      CHECK(is_same_server(c.known, c.met) == c.same);
    }
  }
}

Destination closed() {
  Destination destination;
  destination.identity = kOurs;
  for (unsigned i = 0; i < kDownAfter; ++i) {
    destination = after_probe(destination, {}, kNow + minutes(i)).destination;
  }
  return destination;
}

TEST_CASE("a server is down after three probes without a greeting", "[postfix-conf]") {
  Destination destination;
  const ProbeFinding silent;
  for (unsigned i = 1; i < kDownAfter; ++i) {
    const auto next = after_probe(destination, silent, kNow);
    CHECK(next.event == Event::none);
    CHECK(next.destination.passage == Passage::open);
    destination = next.destination;
  }
  const auto next = after_probe(destination, silent, kNow);
  CHECK(next.event == Event::went_down);
  CHECK(next.destination.state == ServerState::down);
  CHECK(next.destination.passage == Passage::closed);
  CHECK(after_probe(next.destination, silent, kNow).event == Event::none);
}

TEST_CASE("a greeting in between starts the count again", "[postfix-conf]") {
  Destination destination;
  destination = after_probe(destination, {}, kNow).destination;
  destination = after_probe(destination, {}, kNow).destination;
  destination = after_probe(destination, {true, false, kOurs}, kNow).destination;
  CHECK(destination.identity == kOurs);
  const auto next = after_probe(destination, {}, kNow);
  CHECK(next.destination.passage == Passage::open);
}

struct ReturnCase {
  const char* name;
  ProbeFinding finding;
  Event event;
  Passage passage;
};

const ReturnCase kReturns[] = {
    {"it is back", {true, true, kOurs}, Event::returned, Passage::trial},
    {"it refuses everything", {true, false, kOurs}, Event::refuses, Passage::closed},
    {"a stranger has its address",
     {true, true, {"bb", "mail.stranger.example"}},
     Event::stranger,
     Passage::closed},
    {"still silent", {}, Event::none, Passage::closed},
};

TEST_CASE("mail goes on only to the same server that takes it", "[postfix-conf]") {
  for (const auto& c : kReturns) {
    DYNAMIC_SECTION(c.name) {
      const auto next = after_probe(closed(), c.finding, kNow + minutes(10));
      CHECK(to_string(next.event) == to_string(c.event));
      CHECK(to_string(next.destination.passage) == to_string(c.passage));
    }
  }
}

struct TrialCase {
  std::size_t tried, refused;
  Passage passage;
};

const TrialCase kTrials[] = {
    {20, 0, Passage::open},   {20, 4, Passage::open}, {20, 5, Passage::trial},
    {20, 20, Passage::trial}, {1, 0, Passage::open},  {1, 1, Passage::trial},
    {0, 0, Passage::open},
};

TEST_CASE("a trial with more than 20 % refusals goes on", "[postfix-conf]") {
  for (const auto& c : kTrials) {
    DYNAMIC_SECTION(c.refused << " of " << c.tried) {
      Destination trial =
          after_probe(closed(), {true, true, kOurs}, kNow + minutes(10)).destination;
      trial.trial = {"A"};
      const auto next = after_trial(trial, c.tried, c.refused, kNow + minutes(11));
      CHECK(to_string(next.destination.passage) == to_string(c.passage));
      CHECK(next.event ==
            (c.passage == Passage::open ? Event::recovered : Event::refuses));
      CHECK(next.destination.trial.empty() == (c.passage == Passage::open));
      CHECK((next.destination.flushing_since == Time()) == (c.passage != Passage::open));
    }
  }
}

TEST_CASE("a server that comes and goes is flapping until it has been up for an hour",
          "[postfix-conf]") {
  Destination destination;
  destination.identity = kOurs;
  Time now = kNow;
  Event last = Event::none;
  for (int round = 0; round < 3; ++round) {
    for (unsigned i = 0; i < kDownAfter; ++i) {
      now += minutes(1);
      auto next = after_probe(destination, {}, now);
      destination = next.destination;
      last = next.event;
    }
    now += minutes(1);
    destination = after_probe(destination, {true, true, kOurs}, now).destination;
    destination = after_trial(destination, 1, 0, now).destination;
  }
  CHECK(last == Event::flaps);
  CHECK(destination.state == ServerState::flapping);
  destination =
      after_probe(destination, {true, true, kOurs}, now + minutes(30)).destination;
  CHECK(destination.state == ServerState::flapping);
  destination = after_probe(destination, {true, true, kOurs}, now + hours(2)).destination;
  CHECK(destination.state == ServerState::up);
}

}  // namespace
}  // namespace mxfeed
