// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/recovery.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Time kNow(std::chrono::seconds(1'700'000'000));
const std::string kFirst = "[192.0.2.7]:25";
const std::string kSecond = "[192.0.2.8]:25";
const ServerIdentity kOurs{"aa", "mail.acme.example"};
const ServerIdentity kOther{"bb", "mail2.acme.example"};
const ServerIdentity kStranger{"cc", "mail.stranger.example"};

using Findings = std::vector<ServerFinding>;
const Findings kSilent{{kFirst, false, false, {}}, {kSecond, false, false, {}}};
const Findings kBack{{kFirst, true, true, kOurs}};

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
  destination.identities = {{kFirst, kOurs}, {kSecond, kOther}};
  for (unsigned i = 0; i < kDownAfter; ++i) {
    destination = after_probe(destination, kSilent, kNow + minutes(i)).destination;
  }
  return destination;
}

TEST_CASE("a server is down after three probes without a greeting", "[postfix-conf]") {
  Destination destination;
  for (unsigned i = 1; i < kDownAfter; ++i) {
    const auto next = after_probe(destination, kSilent, kNow);
    CHECK(next.event == Event::none);
    CHECK(next.destination.passage == Passage::open);
    destination = next.destination;
  }
  const auto next = after_probe(destination, kSilent, kNow);
  CHECK(next.event == Event::went_down);
  CHECK(next.destination.state == ServerState::down);
  CHECK(next.destination.passage == Passage::closed);
  CHECK(after_probe(next.destination, kSilent, kNow).event == Event::none);
}

TEST_CASE("a greeting in between starts the count again", "[postfix-conf]") {
  Destination destination;
  destination = after_probe(destination, kSilent, kNow).destination;
  destination = after_probe(destination, kSilent, kNow).destination;
  destination =
      after_probe(destination, {{kFirst, true, false, kOurs}}, kNow).destination;
  CHECK(destination.identities.at(kFirst) == kOurs);
  const auto next = after_probe(destination, kSilent, kNow);
  CHECK(next.destination.passage == Passage::open);
}

struct ReturnCase {
  const char* name;
  Findings servers;
  Event event;
  Passage passage;
};

const ReturnCase kReturns[] = {
    {"it is back", kBack, Event::returned, Passage::trial},
    {"the second of two is back",
     {{kFirst, false, false, {}}, {kSecond, true, true, kOther}},
     Event::returned,
     Passage::trial},
    {"the second would take what the first refuses",
     {{kFirst, true, false, kOurs}, {kSecond, true, true, kOther}},
     Event::refuses,
     Passage::closed},
    {"the second, which is not asked, refuses",
     {{kFirst, true, true, kOurs}, {kSecond, true, false, kOther}},
     Event::returned,
     Passage::trial},
    {"it refuses everything",
     {{kFirst, true, false, kOurs}},
     Event::refuses,
     Passage::closed},
    {"a stranger has its address",
     {{kFirst, true, true, kStranger}},
     Event::stranger,
     Passage::closed},
    {"a stranger has the address of the second",
     {{kFirst, true, true, kOurs}, {kSecond, true, true, kStranger}},
     Event::stranger,
     Passage::closed},
    {"the servers have changed places",
     {{kFirst, true, true, kOther}, {kSecond, true, true, kOurs}},
     Event::stranger,
     Passage::closed},
    {"a server that was not known before",
     {{"[192.0.2.9]:25", true, true, kStranger}},
     Event::returned,
     Passage::trial},
    {"still silent", kSilent, Event::none, Passage::closed},
};

TEST_CASE("mail goes on only to the same server that takes it", "[postfix-conf]") {
  for (const auto& c : kReturns) {
    DYNAMIC_SECTION(c.name) {
      const auto next = after_probe(closed(), c.servers, kNow + minutes(10));
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
      Destination trial = after_probe(closed(), kBack, kNow + minutes(10)).destination;
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
  destination.identities = {{kFirst, kOurs}};
  Time now = kNow;
  Event last = Event::none;
  for (int round = 0; round < 3; ++round) {
    for (unsigned i = 0; i < kDownAfter; ++i) {
      now += minutes(1);
      auto next = after_probe(destination, kSilent, now);
      destination = next.destination;
      last = next.event;
    }
    now += minutes(1);
    destination = after_probe(destination, kBack, now).destination;
    destination = after_trial(destination, 1, 0, now).destination;
  }
  CHECK(last == Event::flaps);
  CHECK(destination.state == ServerState::flapping);
  destination = after_probe(destination, kBack, now + minutes(30)).destination;
  CHECK(destination.state == ServerState::flapping);
  destination = after_probe(destination, kBack, now + hours(2)).destination;
  CHECK(destination.state == ServerState::up);
}

}  // namespace
}  // namespace mxfeed
