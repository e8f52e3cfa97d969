// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/simulation/simulation.h"

#include "tests/support/catch.h"
#include "tests/unit/greylist/list_of.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

constexpr Time kBegin{seconds(1'795'000'000)};
constexpr seconds kDay{86'400};

struct Try {
  seconds at;
  std::string sender;
  bool accepted = true;
  std::string address = "198.51.100.7";
  std::string name = "mx.s.example";
  std::vector<std::string> recipients = {"info@acme.example"};
};

SimulationResult run(const std::vector<Try>& tries,
                     GreylistWhen when = GreylistWhen::always,
                     const spf::Verdict& spf = {}, const SenderList& allow = {},
                     const SenderList& deny = {}) {
  SimulationSettings settings;
  settings.domain = [&](std::string_view name) {
    std::optional<DomainPolicy> domain;
    if (name != "acme.example") return domain;
    domain.emplace();
    domain->name = name;
    domain->greylist.when = when;
    domain->greylist.allow = allow;
    domain->greylist.deny = deny;
    return domain;
  };
  settings.spf = [&](const Envelope&) { return spf; };
  Simulation simulation(settings);
  for (const Try& one : tries) {
    simulation.take({kBegin + one.at, Client{IpAddress::parse(one.address), one.name},
                     false, "mx", one.sender, one.recipients, one.accepted});
  }
  return simulation.finish();
}

constexpr std::size_t kDomain = 0;
constexpr std::size_t kName = 1;
constexpr std::size_t kNetwork = 2;

TEST_CASE("a first message is delayed and assumed to come again", "[greylist]") {
  const auto result = run({{seconds(0), "a@s.example"},
                           {seconds(1000), "b@s.example"},
                           {seconds(2000), "a@s.example"}});
  CHECK(result.messages() == 3);
  CHECK(result.delayed[kDomain] == 1);
  CHECK(result.at_once[kDomain] == 2);
  CHECK(result.waits == std::vector<seconds>{seconds(180)});
  CHECK(result.waits_from_log == 0);
}

TEST_CASE("without a verified identity the delay is the longer one", "[greylist]") {
  const auto result = run({{.at = seconds(0), .sender = "a@s.example", .name = ""}});
  CHECK(result.delayed[kNetwork] == 1);
  CHECK(result.percentile(0.5) == seconds(900));
}

TEST_CASE("SPF gives the identity of the domain", "[greylist]") {
  spf::Verdict pass;
  pass.result = spf::Result::pass;
  pass.domain = "s.example";
  pass.mechanism = "mx";
  const std::vector<Try> pool = {
      {.at = seconds(0), .sender = "a@s.example", .name = "a.isp.example"},
      {.at = seconds(1000),
       .sender = "b@s.example",
       .address = "203.0.113.9",
       .name = "b.isp.example"}};
  CHECK(run(pool).delayed[kName] == 2);
  const auto with = run(pool, GreylistWhen::always, pass);
  CHECK(with.delayed[kDomain] == 1);
  CHECK(with.at_once[kDomain] == 1);
}

TEST_CASE("retries that the log shows tell the wait", "[greylist]") {
  const auto result = run({{seconds(0), "a@s.example", false},
                           {seconds(100), "a@s.example", false},
                           {seconds(400), "a@s.example", true}});
  CHECK(result.messages() == 1);
  CHECK(result.delayed[kDomain] == 1);
  CHECK(result.waits == std::vector<seconds>{seconds(400)});
  CHECK(result.waits_from_log == 1);
}

TEST_CASE("who is accepted too early for us waits the rest", "[greylist]") {
  const auto result =
      run({{.at = seconds(0), .sender = "a@s.example", .accepted = false, .name = ""},
           {.at = seconds(400), .sender = "a@s.example", .accepted = true, .name = ""}});
  CHECK(result.delayed[kNetwork] == 1);
  CHECK(result.waits == std::vector<seconds>{seconds(900)});
  CHECK(result.waits_from_log == 0);
}

TEST_CASE("a retry for other recipients first is the same message", "[greylist]") {
  const auto result = run({{.at = seconds(0),
                            .sender = "a@s.example",
                            .accepted = false,
                            .recipients = {"x@acme.example", "y@acme.example"}},
                           {.at = seconds(400),
                            .sender = "a@s.example",
                            .recipients = {"y@acme.example", "x@acme.example"}}});
  CHECK(result.messages() == 1);
  CHECK(result.waits == std::vector<seconds>{seconds(400)});
}

TEST_CASE("who never comes back is counted apart", "[greylist]") {
  const auto result =
      run({{.at = seconds(0), .sender = "spam@x.example", .accepted = false, .name = ""},
           {.at = 3 * kDay, .sender = "a@s.example", .accepted = false},
           {.at = 3 * kDay + seconds(400), .sender = "a@s.example"},
           {.at = 3 * kDay + seconds(500), .sender = "b@s.example", .accepted = false},
           {.at = 3 * kDay + seconds(600),
            .sender = "late@x.example",
            .accepted = false,
            .name = ""}});
  CHECK(result.never_back == 1);
  CHECK(result.undecided == 1);
  // The identity is known, so it would not have been deferred.
  CHECK(result.passed == 1);
  CHECK(result.messages() == 1);
}

TEST_CASE("what passes here at once and later in the log is one message", "[greylist]") {
  const auto result = run({{seconds(0), "a@s.example"},
                           {seconds(1000), "b@s.example", false},
                           {seconds(1400), "b@s.example", true}});
  CHECK(result.messages() == 2);
  CHECK(result.at_once[kDomain] == 1);
  CHECK(result.passed == 0);
}

TEST_CASE("exempt mail and mail of other domains is not counted as delayed",
          "[greylist]") {
  const auto result = run(
      {{.at = seconds(0),
        .sender = "a@s.example",
        .recipients = {"postmaster@acme.example"}},
       {.at = seconds(1), .sender = "a@s.example", .recipients = {"x@other.example"}}});
  CHECK(result.exempt == 1);
  CHECK(result.messages() == 0);
  CHECK(result.percentile(0.95) == seconds(0));
  const auto spared = run({{seconds(0), "a@s.example"}}, GreylistWhen::suspicious);
  CHECK(spared.exempt == 1);
  CHECK(run({{seconds(0), "a@s.example"}}, GreylistWhen::never).exempt == 1);
}

TEST_CASE("lists decide as they do in the filter", "[greylist]") {
  const std::vector<Try> two = {{seconds(0), "a@s.example"},
                                {seconds(1000), "b@s.example"}};
  const auto here = list_of({"198.51.100.0/24"});
  const auto allowed = run(two, GreylistWhen::always, {}, here);
  CHECK(allowed.exempt == 2);
  CHECK(allowed.messages() == 0);
  // What is known of the identity does not let the second one through.
  for (const auto when :
       {GreylistWhen::always, GreylistWhen::suspicious, GreylistWhen::never}) {
    CHECK(run(two, when, {}, {}, here).delayed[kDomain] == 2);
  }
}

TEST_CASE("messages are counted by the day they came", "[greylist]") {
  const auto result = run(
      {{seconds(0), "a@s.example"}, {seconds(10), "b@t.example"}, {kDay, "a@s.example"}});
  REQUIRE(result.days.size() == 2);
  CHECK(result.days.begin()->first == "2026-11-18");
  CHECK(result.days.begin()->second.messages == 2);
  CHECK(result.days.begin()->second.delayed == 2);
  CHECK(result.days.rbegin()->second.delayed == 0);
}

TEST_CASE("recipients that are accepted one after the other are one message",
          "[greylist]") {
  const std::vector<std::string> both = {"x@acme.example", "y@acme.example"};
  const auto result = run(
      {{.at = seconds(0), .sender = "a@s.example", .accepted = false, .recipients = both},
       {.at = seconds(400), .sender = "a@s.example", .recipients = {both[0]}},
       {.at = seconds(500), .sender = "a@s.example", .recipients = {both[1]}}});
  CHECK(result.messages() == 1);
  CHECK(result.waits == std::vector<seconds>{seconds(400)});
}

TEST_CASE("what is known lasts as in the daemon's store", "[greylist]") {
  for (const auto& [days, is_known] : {std::pair(30, true), std::pair(40, false)}) {
    INFO(days);
    std::vector<Try> tries = {{seconds(0), "a@s.example"}};
    // Others, while it is away.
    for (int i = 1; i < days; ++i) {
      tries.push_back({.at = i * kDay,
                       .sender = "x@t.example",
                       .address = "203.0.113.9",
                       .name = "mx.t.example"});
    }
    tries.push_back({days * kDay, "a@s.example"});
    CHECK(run(tries).days.rbegin()->second.delayed == (is_known ? 0 : 1));
  }
}

TEST_CASE("a percentile is one of the waits", "[greylist]") {
  SimulationResult result;
  for (int i = 1; i <= 100; ++i) result.waits.emplace_back(i);
  CHECK(result.percentile(0.5) == seconds(50));
  CHECK(result.percentile(0.95) == seconds(95));
  CHECK(result.percentile(1.0) == seconds(100));
  CHECK(result.percentile(0.0) == seconds(1));
}

}  // namespace
}  // namespace mxfeed::greylist
