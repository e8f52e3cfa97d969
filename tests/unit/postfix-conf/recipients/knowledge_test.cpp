// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/knowledge.h"

#include <optional>

#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/recipients/knowledge_cases.h"

namespace mxfeed::recipients {
namespace {

const Answer kAccepted{Verdict::accept, Reason::accepted};
const Answer kRefused{Verdict::refuse, Reason::refused};
const Answer kDeferred{Verdict::try_again, Reason::deferred};
const Answer kDownAccept{Verdict::accept, Reason::down};
const Answer kDownDefer{Verdict::try_again, Reason::down};

struct Case {
  const char* name;
  std::optional<Address> address;
  Server server;
  WhileDown rule;
  Plan plan;
};

TEST_CASE("a plan follows the table", "[recipients]") {
  const auto accept = WhileDown::accept;
  const auto defer = WhileDown::defer;
  const Case cases[] = {
      {"nothing known", {}, {}, accept, {kDownAccept, Ask::now}},
      {"nothing known, rule defer", {}, {}, defer, {kDownDefer, Ask::now}},
      {"accepted a minute ago",
       address(Standing::accepted, minutes(1)),
       {},
       defer,
       {kAccepted, Ask::no}},
      {"delivered to",
       address(Standing::accepted, minutes(1), Source::delivery),
       {},
       defer,
       {{Verdict::accept, Reason::delivered}, Ask::no}},
      {"accepted a week ago: asked again without waiting",
       address(Standing::accepted, 7 * kDay),
       tells_apart(),
       defer,
       {kAccepted, Ask::in_background}},
      {"accepted a second less than a week ago",
       address(Standing::accepted, 7 * kDay - seconds(1)),
       tells_apart(),
       defer,
       {kAccepted, Ask::no}},
      {"accepted 31 days less a second ago",
       address(Standing::accepted, 31 * kDay - seconds(1)),
       tells_apart(),
       defer,
       {kAccepted, Ask::in_background}},
      {"accepted 31 days ago",
       address(Standing::accepted, 31 * kDay),
       tells_apart(),
       defer,
       {kDownDefer, Ask::now}},
      {"accepted, and down",
       address(Standing::accepted, kDay),
       down(seconds(5)),
       defer,
       {kAccepted, Ask::no}},
      {"accepted long ago, and down: the next attempt is not due",
       address(Standing::accepted, 8 * kDay),
       down(seconds(5)),
       defer,
       {kAccepted, Ask::no}},
      {"accepted tomorrow: the clock went back",
       address(Standing::accepted, -kDay),
       {},
       defer,
       {kAccepted, Ask::no}},
      {"refused a minute ago",
       address(Standing::refused, minutes(1)),
       tells_apart(),
       accept,
       {kRefused, Ask::no}},
      {"refused an hour ago: asked again",
       address(Standing::refused, hours(1)),
       tells_apart(),
       accept,
       {kDownAccept, Ask::now}},
      {"refused 23 hours ago, and down",
       address(Standing::refused, hours(23)),
       down(seconds(5)),
       accept,
       {kRefused, Ask::no}},
      {"refused 23 hours ago, and down, an attempt is due",
       address(Standing::refused, hours(23)),
       down(seconds(30)),
       accept,
       {kRefused, Ask::in_background}},
      {"refused a day ago, and down",
       address(Standing::refused, kDay),
       down(seconds(5)),
       accept,
       {kDownAccept, Ask::no}},
      {"refused tomorrow: the clock went back",
       address(Standing::refused, -kDay),
       tells_apart(),
       accept,
       {kDownAccept, Ask::now}},
      {"refused, but now a catch-all",
       address(Standing::refused, minutes(1)),
       catch_all(minutes(1)),
       defer,
       {{Verdict::accept, Reason::catch_all}, Ask::no}},
      {"unknown to a catch-all",
       {},
       catch_all(hours(23)),
       defer,
       {{Verdict::accept, Reason::catch_all}, Ask::no}},
      {"a catch-all of yesterday is tried again",
       {},
       catch_all(kDay),
       defer,
       {kDownDefer, Ask::now}},
      {"a catch-all of last week that is down",
       {},
       both_down_and_catch_all(7 * kDay),
       defer,
       {{Verdict::accept, Reason::catch_all}, Ask::no}},
      {"the sender of call-outs is refused",
       {},
       not_askable(minutes(14)),
       defer,
       {{Verdict::accept, Reason::not_askable}, Ask::no}},
      {"the sender of call-outs was refused 15 minutes ago",
       {},
       not_askable(minutes(15)),
       defer,
       {kDownDefer, Ask::now}},
      {"down, tried 29 seconds ago",
       {},
       down(seconds(29)),
       accept,
       {kDownAccept, Ask::no}},
      {"down, tried 30 seconds ago",
       {},
       down(seconds(30)),
       accept,
       {kDownAccept, Ask::now}},
      {"down, rule defer", {}, down(seconds(5)), defer, {kDownDefer, Ask::no}},
      {"down since tomorrow: the clock went back",
       {},
       down(-hours(1)),
       accept,
       {kDownAccept, Ask::now}},
      {"deferred a minute ago",
       address(Standing::deferred, minutes(1)),
       tells_apart(),
       accept,
       {kDeferred, Ask::no}},
      {"deferred five minutes ago: asked again",
       address(Standing::deferred, minutes(5)),
       tells_apart(),
       accept,
       {kDownAccept, Ask::now}},
      {"deferred before the server recovered",
       address(Standing::deferred, minutes(1)),
       recovered(seconds(30)),
       accept,
       {kDownAccept, Ask::now}},
      {"deferred after the server recovered",
       address(Standing::deferred, minutes(1)),
       recovered(minutes(2)),
       accept,
       {kDeferred, Ask::no}},
      {"deferred by a server that has deferred all for 14 minutes",
       address(Standing::deferred, minutes(1)),
       unclear_for(minutes(14)),
       accept,
       {kDeferred, Ask::no}},
      {"deferred by a server that has deferred all for 15 minutes",
       address(Standing::deferred, minutes(1)),
       unclear_for(minutes(15)),
       accept,
       {kDownAccept, Ask::no}},
      {"the server has deferred all for 15 minutes, rule defer",
       {},
       unclear_for(minutes(15)),
       defer,
       {kDownDefer, Ask::now}},
      {"the server refuses everybody",
       address(Standing::doubted, minutes(1)),
       tells_apart(),
       accept,
       {{Verdict::try_again, Reason::refuses_all}, Ask::no}},
      {"the server refused everybody five minutes ago",
       address(Standing::doubted, minutes(5)),
       tells_apart(),
       accept,
       {kDownAccept, Ask::now}},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const Plan got = make_plan({c.address, c.server}, c.rule, kNow);
      CHECK(to_string(got.answer.verdict) == to_string(c.plan.answer.verdict));
      CHECK(to_string(got.answer.reason) == to_string(c.plan.answer.reason));
      CHECK(static_cast<int>(got.ask) == static_cast<int>(c.plan.ask));
    }
  }
}

struct Lesson {
  const char* name;
  std::optional<Address> before;
  Server server;
  CallOut heard;
  std::optional<Standing> after;
  bool is_new;  // its time is now
};

CallOut answered(Reply reply, std::optional<Reply> random = {},
                 std::optional<Reply> control = {}) {
  return {Contact::answered, reply, random, control};
}

TEST_CASE("what a call-out teaches about an address follows the table", "[recipients]") {
  const auto accepted = Reply::accepted, refused = Reply::refused,
             deferred = Reply::deferred;
  const Lesson lessons[] = {
      {"accepted, random refused",
       {},
       {},
       answered(accepted, refused),
       Standing::accepted,
       true},
      {"accepted, random accepted: a catch-all",
       {},
       {},
       answered(accepted, accepted),
       {},
       false},
      {"accepted, random deferred",
       {},
       {},
       answered(accepted, deferred),
       Standing::accepted,
       true},
      {"refused, random refused, control accepted",
       {},
       {},
       answered(refused, refused, accepted),
       Standing::refused,
       true},
      {"refused by a server that was seen to tell apart",
       {},
       tells_apart(),
       answered(refused),
       Standing::refused,
       true},
      {"refused, random not answered",
       {},
       {},
       answered(refused, {}, accepted),
       Standing::doubted,
       true},
      {"refused, random deferred",
       {},
       {},
       answered(refused, deferred, accepted),
       Standing::doubted,
       true},
      {"refused, random accepted: a catch-all",
       {},
       {},
       answered(refused, accepted),
       {},
       false},
      {"refused, so is everybody",
       {},
       {},
       answered(refused, refused, refused),
       Standing::doubted,
       true},
      {"refused, control not answered",
       {},
       {},
       answered(refused, refused),
       Standing::doubted,
       true},
      {"accepted before, now refused and others not",
       address(Standing::accepted, kDay),
       {},
       answered(refused, refused, accepted),
       Standing::refused,
       true},
      {"accepted before, now everybody is refused",
       address(Standing::accepted, kDay),
       {},
       answered(refused, refused, refused),
       Standing::accepted,
       false},
      {"accepted before, now deferred", address(Standing::accepted, kDay), tells_apart(),
       answered(deferred), Standing::accepted, false},
      {"accepted before, now no answer",
       address(Standing::accepted, kDay),
       {},
       {Contact::none, {}, {}, {}},
       Standing::accepted,
       false},
      {"accepted 31 days ago, now deferred",
       address(Standing::accepted, 31 * kDay),
       {},
       answered(deferred),
       Standing::deferred,
       true},
      {"delivered to, now refused and others not",
       address(Standing::accepted, kDay, Source::delivery), tells_apart(),
       answered(refused), Standing::refused, true},
      {"refused before, now accepted", address(Standing::refused, hours(2)),
       tells_apart(), answered(accepted), Standing::accepted, true},
      {"refused before, now deferred", address(Standing::refused, hours(2)),
       tells_apart(), answered(deferred), Standing::deferred, true},
      {"refused before, now no answer",
       address(Standing::refused, hours(2)),
       tells_apart(),
       {Contact::none, {}, {}, {}},
       Standing::refused,
       false},
      {"deferred", {}, {}, answered(deferred), Standing::deferred, true},
      {"no answer", {}, {}, {Contact::none, {}, {}, {}}, {}, false},
      {"the sender is refused", {}, {}, {Contact::not_askable, {}, {}, {}}, {}, false},
  };
  for (const Lesson& c : lessons) {
    DYNAMIC_SECTION(c.name) {
      const Knowledge got = learn({c.before, c.server}, c.heard, kNow);
      REQUIRE(got.address.has_value() == c.after.has_value());
      if (c.after) {
        CHECK(static_cast<int>(got.address->standing) == static_cast<int>(*c.after));
        CHECK((got.address->at == kNow) == c.is_new);
      }
    }
  }
}

TEST_CASE("a server that does not answer is down until it does", "[recipients]") {
  Knowledge known = learn({}, {Contact::none, {}, {}, {}}, kNow);
  CHECK(is_down(known.server, kNow));
  known = learn(known, answered(Reply::deferred), kNow + hours(1));
  CHECK_FALSE(is_down(known.server, kNow + hours(1)));
  CHECK(known.server.recovered_at == kNow + hours(1));
}

TEST_CASE("an address first seen in an outage is asked about after it", "[recipients]") {
  // Postfix's verify(8) goes on to say 450 for three hours.
  Knowledge known = learn({}, {Contact::none, {}, {}, {}}, kNow);
  CHECK(make_plan(known, WhileDown::defer, kNow).answer == kDownDefer);
  // Another address finds the server up again.
  known.server = learn({{}, known.server}, answered(Reply::accepted, Reply::refused),
                       kNow + seconds(31))
                     .server;
  const Plan plan = make_plan(known, WhileDown::defer, kNow + seconds(31));
  CHECK(plan.ask == Ask::now);
}

TEST_CASE("replies that tell nothing make a server down after 15 minutes",
          "[recipients]") {
  const auto temporary = answered(Reply::deferred, Reply::deferred);
  const auto refuses_all = answered(Reply::refused, Reply::refused, Reply::refused);
  const auto heard = GENERATE_COPY(temporary, refuses_all);
  Knowledge known = learn({}, heard, kNow);
  CHECK_FALSE(is_down(known.server, kNow + minutes(14)));
  known = learn(known, heard, kNow + minutes(15));
  CHECK(is_down(known.server, kNow + minutes(15)));
  CHECK(make_plan(known, WhileDown::accept, kNow + minutes(15)).answer == kDownAccept);
  known = learn(known, answered(Reply::accepted), kNow + minutes(20));
  CHECK_FALSE(is_down(known.server, kNow + minutes(20)));
  CHECK(known.server.recovered_at == kNow + minutes(20));
}

TEST_CASE("a refusal is clear if others were accepted lately", "[recipients]") {
  const auto known =
      learn({{}, unclear_for(minutes(20))}, answered(Reply::refused), kNow);
  CHECK_FALSE(is_down(known.server, kNow));
}

TEST_CASE("a refused sender of call-outs is remembered, and the server is up",
          "[recipients]") {
  const auto known =
      learn({{}, down(hours(1))}, {Contact::not_askable, {}, {}, {}}, kNow);
  CHECK_FALSE(is_down(known.server, kNow));
  CHECK(known.server.not_askable_at == kNow);
}

TEST_CASE("probes are asked when what they tell is too old", "[recipients]") {
  CHECK(probes_due({}, kNow) == Probes{true, true});
  CHECK(probes_due(tells_apart(), kNow) == Probes{false, false});
  CHECK(probes_due(tells_apart(), kNow + hours(1)) == Probes{false, true});
  CHECK(probes_due(tells_apart(), kNow + kDay) == Probes{true, true});
}

TEST_CASE("a delivery makes an address known, and the server is up", "[recipients]") {
  const auto known = learn_delivery({{}, down(hours(1))}, kNow);
  CHECK(known.address == Address{Standing::accepted, kNow, Source::delivery});
  CHECK_FALSE(is_down(known.server, kNow));
  CHECK_FALSE(learn_delivery({{}, catch_all(hours(1))}, kNow).address.has_value());
}

TEST_CASE("what was delivered a moment ago is not noted again", "[recipients]") {
  for (const auto& before : {Knowledge{}, Knowledge{{}, catch_all(hours(1))}}) {
    const auto known = learn_delivery(before, kNow);
    CHECK(learn_delivery(known, kNow + minutes(29)) == known);
    CHECK(learn_delivery(known, kNow + minutes(30)).server.accepted_at ==
          kNow + minutes(30));
    // The server is up again.
    auto failed = known;
    failed.server.failed_at = kNow + minutes(1);
    CHECK_FALSE(is_down(learn_delivery(failed, kNow + minutes(2)).server, kNow));
  }
}

TEST_CASE("an address expires when the longest use of it ends", "[recipients]") {
  CHECK(expiry(address(Standing::accepted, seconds(0))) == kNow + 31 * kDay);
  CHECK(expiry(address(Standing::refused, seconds(0))) == kNow + kDay);
  CHECK(expiry(address(Standing::deferred, seconds(0))) == kNow + minutes(5));
  CHECK(expiry(address(Standing::doubted, seconds(0))) == kNow + minutes(5));
  CHECK(expiry(down(seconds(0))) == kNow + 31 * kDay);
}

}  // namespace
}  // namespace mxfeed::recipients
