// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/plan.h"

#include <set>

#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/queue/hosting.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// feed.example waits 2 d, backup.example 5 d; mail arrived at 0.
constexpr Time kArrived(seconds(1'700'000'000));
constexpr Time at(seconds since) {
  return kArrived + since;
}
constexpr hours kFeed(48), kBackup(120);

QueuedMessage deferred(std::vector<std::string> recipients) {
  QueuedMessage message;
  message.queue = "deferred";
  message.id = "4gT";
  message.arrived = kArrived;
  message.sender = "anna@sender.example";
  for (auto& one : recipients) message.recipients.push_back({std::move(one), "refused"});
  return message;
}

PlanRules rules_at(Time now) {
  PlanRules rules;
  rules.now = now;
  return rules;
}

struct JudgeCase {
  const char* name;
  QueuedMessage message;
  Attempts attempts;
  PlanRules rules;
  Step step;
  Cause cause;
  Record record{};
};

const Time kLate = at(kFeed + hours(1));
const Attempts kTriedLate = {at(kFeed + minutes(30)), at(kFeed + hours(2))};

QueuedMessage changed(QueuedMessage message, void (*change)(QueuedMessage&)) {
  change(message);
  return message;
}
PlanRules changed(PlanRules rules, void (*change)(PlanRules&)) {
  change(rules);
  return rules;
}

std::vector<JudgeCase> cases() {
  const auto feed = [] { return deferred({"info@feed.example"}); };
  const auto two = [] { return deferred({"a@feed.example", "b@feed.example"}); };
  const auto late = [] { return rules_at(kLate); };
  return {
      {"one recipient, due", feed(), kTriedLate, late(), Step::expire, Cause::due},
      {"at the deadline",
       feed(),
       {at(kFeed + seconds(1)), {}},
       rules_at(at(kFeed + seconds(2))),
       Step::expire,
       Cause::due},
      {"a second before the deadline", feed(), kTriedLate,
       rules_at(at(kFeed - seconds(1))), Step::keep, Cause::not_due},
      {"several recipients are held first", two(), kTriedLate, late(),
       Step::expire_several, Cause::due},
      {"one of two domains is not due", deferred({"a@feed.example", "b@backup.example"}),
       kTriedLate, late(), Step::keep, Cause::not_due},
      {"both domains are due",
       deferred({"a@feed.example", "b@backup.example"}),
       {at(kBackup + minutes(1)), {}},
       rules_at(at(kBackup + hours(1))),
       Step::expire_several,
       Cause::due},
      {"a recipient is missing in the defer log",
       changed(two(), [](auto& m) { m.recipients[1].delay_reason.reset(); }), kTriedLate,
       late(), Step::attempt, Cause::incomplete_log},
      {"the only recipient is missing in the defer log",
       changed(feed(), [](auto& m) { m.recipients[0].delay_reason.reset(); }), kTriedLate,
       late(), Step::attempt, Cause::incomplete_log},
      {"missing, but tried a minute ago",
       changed(two(), [](auto& m) { m.recipients[1].delay_reason.reset(); }),
       {kLate - minutes(1), {}},
       late(),
       Step::keep,
       Cause::recent_attempt},
      {"the last attempt was before the deadline",
       feed(),
       {at(kFeed - hours(1)), {}},
       late(),
       Step::attempt,
       Cause::no_attempt},
      {"the last attempt was at the deadline",
       feed(),
       {at(kFeed), {}},
       late(),
       Step::attempt,
       Cause::no_attempt},
      {"no attempt is known", feed(), {}, late(), Step::attempt, Cause::no_attempt},
      {"the host was started after the attempt", feed(), kTriedLate,
       changed(late(), [](auto& r) { r.started = at(kFeed + minutes(40)); }),
       Step::attempt, Cause::no_attempt},
      {"the host was started before the attempt", feed(), kTriedLate,
       changed(late(), [](auto& r) { r.started = at(kFeed + minutes(20)); }),
       Step::expire, Cause::due},
      {"started just now, but tried just before",
       feed(),
       {kLate - minutes(2), {}},
       changed(late(), [](auto& r) { r.started = kLate - minutes(1); }),
       Step::keep,
       Cause::recent_attempt},
      {"an attempt in the future does not prevent another one",
       feed(),
       {kLate + hours(100), {}},
       changed(late(), [](auto& r) { r.started = kLate + hours(200); }),
       Step::attempt,
       Cause::no_attempt},
      {"put off without trying since the destination did not answer",
       changed(feed(),
               [](auto& m) {
                 m.recipients[0].delay_reason = "delivery temporarily suspended: connect";
               }),
       {at(kFeed + minutes(5)), {}},
       late(),
       Step::attempt,
       Cause::no_attempt},
      {"put off so long after the deadline that a server was asked since",
       changed(feed(),
               [](auto& m) {
                 m.recipients[0].delay_reason = "delivery temporarily suspended: connect";
               }),
       {at(kFeed + minutes(6)), {}},
       late(),
       Step::expire,
       Cause::due},
      {"stopped by the keeper: no server was asked",
       changed(feed(),
               [](auto& m) {
                 m.recipients[0].delay_reason =
                     "connect to x[mxfeed/waits-until-the-server-is-back]: No such file";
               }),
       kTriedLate, late(), Step::attempt, Cause::no_attempt},
      {"stopped, and the server was found down after the deadline",
       changed(feed(),
               [](auto& m) {
                 m.recipients[0].delay_reason =
                     "connect to x[mxfeed/waits-until-the-server-is-back]: No such file";
               }),
       kTriedLate,
       changed(late(),
               [](auto& r) {
                 r.found_down = [](const std::string& domain) {
                   return domain == "feed.example" ? std::optional(at(kFeed + minutes(1)))
                                                   : std::nullopt;
                 };
               }),
       Step::expire, Cause::due},
      {"stopped, and the server was found down before the deadline",
       changed(feed(),
               [](auto& m) {
                 m.recipients[0].delay_reason =
                     "connect to x[mxfeed/waits-until-the-server-is-back]: No such file";
               }),
       {at(kFeed + minutes(30)), {}},
       changed(late(),
               [](auto& r) {
                 r.found_down = [](const std::string&) {
                   return std::optional(at(kFeed - minutes(1)));
                 };
               }),
       Step::attempt,
       Cause::no_attempt},
      {"the clock is not to be trusted", feed(), kTriedLate,
       changed(late(), [](auto& r) { r.obstacle = "clock"; }), Step::keep,
       Cause::obstacle},
      {"an attempt is asked for all the same",
       feed(),
       {},
       changed(late(), [](auto& r) { r.obstacle = "clock"; }),
       Step::attempt,
       Cause::no_attempt},
      {"arrived in the future, the clock was set back", feed(), kTriedLate,
       rules_at(kArrived - hours(240)), Step::keep, Cause::not_due},
      {"paused", deferred({"a@paused.example"}), kTriedLate, rules_at(at(hours(9999))),
       Step::keep, Cause::endless},
      {"protected", deferred({"a@protect.example"}), kTriedLate,
       rules_at(at(hours(9999))), Step::keep, Cause::endless},
      {"one of two is paused", deferred({"a@feed.example", "a@paused.example"}),
       kTriedLate, rules_at(at(hours(9999))), Step::keep, Cause::endless},
      {"a removed domain's mail keeps its lifetime", deferred({"a@kept.example"}),
       kTriedLate, late(), Step::expire, Cause::due},
      {"extended", deferred({"a@extended.example"}), kTriedLate, late(), Step::keep,
       Cause::not_due},
      {"the extension is over",
       deferred({"a@extended.example"}),
       {at(kFeed + hours(11)), {}},
       rules_at(at(kFeed + hours(12))),
       Step::expire,
       Cause::due},
      {"vanished from the configuration", deferred({"a@gone.example"}), kTriedLate,
       late(), Step::keep, Cause::not_due},
      {"below a domain", deferred({"a@sub.below.example"}), kTriedLate, late(),
       Step::expire, Cause::due},
      {"a bounce to a customer lives as long",
       changed(feed(), [](auto& m) { m.sender = "MAILER-DAEMON"; }), kTriedLate,
       rules_at(at(kFeed - hours(1))), Step::keep, Cause::not_due},
      {"other mail is left to Postfix", deferred({"a@elsewhere.example"}), kTriedLate,
       rules_at(at(hours(9999))), Step::keep, Cause::endless},
      {"mixed with other mail", deferred({"a@feed.example", "a@elsewhere.example"}),
       kTriedLate, rules_at(at(hours(9999))), Step::keep, Cause::endless},
      {"being delivered", changed(feed(), [](auto& m) { m.queue = "active"; }),
       kTriedLate, late(), Step::keep, Cause::not_deferred},
      {"on hold because of somebody else",
       changed(two(), [](auto& m) { m.queue = "hold"; }), kTriedLate, late(), Step::keep,
       Cause::not_deferred},
      {"on hold because of us",
       changed(two(), [](auto& m) { m.queue = "hold"; }),
       {},
       late(),
       Step::expire_held,
       Cause::due,
       {Touch::expiring, {}}},
      {"on hold because of us, log incomplete",
       changed(two(),
               [](auto& m) {
                 m.queue = "hold";
                 m.recipients[0].delay_reason.reset();
               }),
       {},
       late(),
       Step::release,
       Cause::incomplete_log,
       {Touch::expiring, {}}},
      {"on hold because of us, extended since",
       changed(two(), [](auto& m) { m.queue = "hold"; }),
       {},
       rules_at(at(kFeed - hours(1))),
       Step::release,
       Cause::not_due,
       {Touch::expiring, {}}},
      {"on hold because of us, and the clock is not to be trusted",
       changed(two(), [](auto& m) { m.queue = "hold"; }),
       {},
       changed(late(), [](auto& r) { r.obstacle = "clock"; }),
       Step::release,
       Cause::obstacle,
       {Touch::expiring, {}}},
      {"made to expire by us",
       changed(feed(), [](auto& m) { m.is_expired = true; }),
       kTriedLate,
       late(),
       Step::resume,
       Cause::interrupted,
       {Touch::expiring, {}}},
      {"made to expire by somebody else",
       changed(feed(), [](auto& m) { m.is_expired = true; }), kTriedLate, late(),
       Step::keep, Cause::interrupted},
      {"no recipient left", deferred({}), kTriedLate, late(), Step::keep,
       Cause::not_deferred},
  };
}

Generated hosting() {
  return hosting_of(
      {{.name = "backup.example", .queue_lifetime = kBackup},
       {.name = "below.example", .below = Row::active, .queue_lifetime = kFeed},
       {.name = "extended.example",
        .queue_lifetime = kFeed,
        .extended_until = at(kFeed + hours(10))},
       {.name = "feed.example", .queue_lifetime = kFeed},
       {.name = "gone.example",
        .own = Row::kept,
        .queue_lifetime = kFeed,
        .intake = Intake::gone,
        .gone_since = at(kFeed)},
       {.name = "kept.example", .own = Row::kept, .queue_lifetime = kFeed},
       {.name = "paused.example", .own = Row::paused, .queue_lifetime = kFeed},
       {.name = "protect.example", .own = Row::protect, .queue_lifetime = kFeed}});
}

TEST_CASE("each message is judged by the rules of expiry", "[postfix-conf]") {
  const Generated generated = hosting();
  Terms terms(generated, std::nullopt);
  for (const auto& c : cases()) {
    DYNAMIC_SECTION(c.name) {
      const auto got = judge(c.message, c.attempts, c.record, terms, c.rules);
      CHECK(to_string(got.step) == to_string(c.step));
      CHECK(to_string(got.cause) == to_string(c.cause));
    }
  }
}

TEST_CASE("other mail gets a lifetime of its own where Postfix's was raised",
          "[postfix-conf]") {
  const Generated generated = hosting();
  Terms terms(generated, hours(120));
  const auto message = deferred({"a@elsewhere.example"});
  const auto step_at = [&](Time now) {
    return judge(message, {now - minutes(1), {}}, {}, terms, rules_at(now)).step;
  };
  CHECK(step_at(at(hours(119))) == Step::keep);
  CHECK(step_at(at(hours(121))) == Step::expire);
}

// A plan for messages to one domain, of which so many are due.
QueuePlan plan_of(Terms& terms, std::size_t due, std::size_t others,
                  std::size_t allowed = 0) {
  PlanRules rules = rules_at(kLate);
  rules.allowed = allowed;
  QueuePlan plan(terms, rules, [](std::string_view) { return Record(); });
  for (std::size_t i = 0; i < due + others; ++i) {
    auto message = deferred({i < due ? "a@feed.example" : "a@backup.example"});
    message.id = std::to_string(i);
    plan.add(message, kTriedLate);
  }
  return plan;
}

struct BrakeCase {
  const char* name;
  std::size_t due, others, allowed;
  std::size_t expire;
};

const BrakeCase kBrake[] = {
    {"all of a hundred", 100, 0, 0, 100},
    {"all of a hundred and one", 101, 0, 0, 0},
    {"many, but only 5 %", 101, 1919, 0, 101},
    {"many, just over 5 %", 101, 1918, 0, 0},
    {"many are allowed", 101, 0, 101, 101},
    {"fewer are allowed", 101, 0, 100, 0},
    {"none", 0, 10, 0, 0},
};

TEST_CASE("a run that would expire many messages expires none", "[postfix-conf]") {
  const Generated generated = hosting();
  Terms terms(generated, std::nullopt);
  for (const auto& c : kBrake) {
    DYNAMIC_SECTION(c.name) {
      const QueuePlan plan = plan_of(terms, c.due, c.others, c.allowed);
      CHECK(plan.due() == c.due);
      CHECK(plan.listed() == c.due + c.others);
      CHECK(plan.steps().size() == c.expire);
      CHECK(plan.is_braked() == (c.due != c.expire));
    }
  }
}

TEST_CASE("the brake releases what is on hold because of us", "[postfix-conf]") {
  const Generated generated = hosting();
  Terms terms(generated, std::nullopt);
  QueuePlan plan(terms, rules_at(kLate), [](std::string_view id) {
    return Record{id == "ours" ? Touch::expiring : Touch::none, {}};
  });
  for (int i = 0; i < 200; ++i) {
    auto message = deferred({"a@feed.example"});
    message.id = std::to_string(i);
    plan.add(message, kTriedLate);
  }
  auto held = deferred({"a@feed.example", "b@feed.example"});
  held.queue = "hold";
  held.id = "ours";
  plan.add(held, {});
  const auto steps = plan.steps();
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].id == "ours");
  CHECK(to_string(steps[0].step) == "release");
}

TEST_CASE("a run asks for a bounded number of attempts", "[postfix-conf]") {
  const Generated generated = hosting();
  Terms terms(generated, std::nullopt);
  QueuePlan plan(terms, rules_at(kLate), [](std::string_view) { return Record(); });
  for (std::size_t i = 0; i < PlanRules::kMostAttempts + 10; ++i) {
    auto message = deferred({"a@feed.example"});
    message.id = std::to_string(i);
    plan.add(message, {});
  }
  CHECK(plan.steps().size() == PlanRules::kMostAttempts);
  CHECK(plan.count(Cause::no_attempt) == PlanRules::kMostAttempts + 10);
}

TEST_CASE("a step has what the journal tells", "[postfix-conf]") {
  const Generated generated = hosting();
  Terms terms(generated, std::nullopt);
  QueuePlan plan(terms, rules_at(kLate), [](std::string_view) { return Record(); });
  plan.add(deferred({"a@feed.example", "b@FEED.example"}), kTriedLate);
  const auto steps = plan.steps();
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].sender == "anna@sender.example");
  CHECK(steps[0].recipients ==
        std::vector<std::string>{"a@feed.example", "b@FEED.example"});
  CHECK(steps[0].arrived == kArrived);
  CHECK(steps[0].deadline == at(kFeed));
  CHECK(steps[0].reason == "refused");
  CHECK(steps[0].domains == std::vector<std::string>{"feed.example"});
}

struct SoonCase {
  const char* name;
  seconds age;
  const char* recipient;
  bool is_soon;
};

const SoonCase kSoon[] = {
    {"a day before", kFeed - hours(24), "a@feed.example", true},
    {"more than a day before", kFeed - hours(24) - seconds(1), "a@feed.example", false},
    {"a long lifetime", kBackup - hours(25), "a@backup.example", false},
    {"a short lifetime, second half", hours(6), "a@short.example", true},
    {"a short lifetime, first half", hours(5), "a@short.example", false},
    {"due", kFeed, "a@feed.example", false},
    {"paused", kFeed - hours(1), "a@paused.example", false},
    {"other mail", kFeed - hours(1), "a@elsewhere.example", false},
};

TEST_CASE("mail that expires within a day is told by domain", "[postfix-conf]") {
  const Generated generated =
      hosting_of({{.name = "backup.example", .queue_lifetime = kBackup},
                  {.name = "feed.example", .queue_lifetime = kFeed, .customer = "acme"},
                  {.name = "paused.example", .own = Row::paused, .queue_lifetime = kFeed},
                  {.name = "short.example", .queue_lifetime = hours(12)}});
  Terms terms(generated, std::nullopt);
  for (const auto& c : kSoon) {
    DYNAMIC_SECTION(c.name) {
      QueuePlan plan(terms, rules_at(at(c.age)),
                     [](std::string_view) { return Record(); });
      plan.add(deferred({c.recipient}), kTriedLate);
      CHECK(plan.expiring_soon().size() == (c.is_soon ? 1 : 0));
    }
  }
  QueuePlan plan(terms, rules_at(at(kFeed - hours(1))),
                 [](std::string_view) { return Record(); });
  auto later = deferred({"a@feed.example"});
  later.arrived += hours(1);
  plan.add(later, {});
  plan.add(deferred({"a@feed.example"}), {});
  const auto& soon = plan.expiring_soon().at("feed.example");
  CHECK(soon.messages == 2);
  CHECK(soon.first == at(kFeed));
  CHECK(soon.customer == "acme");
}

}  // namespace
}  // namespace mxfeed
