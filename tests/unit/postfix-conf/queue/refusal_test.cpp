// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/refusal.h"

#include "postfix-conf/queue/plan.h"
#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/queue/hosting.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct ReasonCase {
  const char* name;
  const char* reason;
  bool is_refusal;
};

const ReasonCase kReasons[] = {
    {"5xx to RCPT",
     "host mail.acme.example[203.0.113.7] said: 550 5.1.1 No such user (in reply to RCPT "
     "TO command)",
     true},
    {"5xx to DATA, an address",
     "host 203.0.113.7[203.0.113.7] said: 554 Spam (in reply to end of DATA command)",
     true},
    {"IPv6", "host 2001:db8::7[2001:db8::7] said: 550 no", true},
    {"several lines", "host a.example[203.0.113.7] said: 550-5.7.1 no 550 go", true},
    {"no text", "host a.example[203.0.113.7] said: 550", true},
    {"too large", "message size 5000 exceeds size limit 4000 of server a[203.0.113.7]",
     true},
    {"without SMTPUTF8", "SMTPUTF8 is required, but was not offered by host a[192.0.2.1]",
     true},
    {"4xx", "host mail.acme.example[203.0.113.7] said: 451 4.3.2 Not now", false},
    {"4xx that talks of 5xx", "host a[203.0.113.7] said: 451 host b[192.0.2.1] said: 550",
     false},
    {"refused at once", "host a[203.0.113.7] refused to talk to me: 554 no", false},
    {"no connection", "connect to a[203.0.113.7]:25: Connection refused", false},
    {"put off",
     "delivery temporarily suspended: host a[203.0.113.7] said: 550 no such user", false},
    {"not a code", "host a[203.0.113.7] said: 5.1.1 no", false},
    {"four digits", "host a[203.0.113.7] said: 5500 no", false},
    {"too short", "host a[203.0.113.7] said: 55", false},
    {"no server", "host [203.0.113.7] said: 550 no", false},
    {"no address", "host a[] said: 550 no", false},
    {"a blank in the name", "host a b[203.0.113.7] said: 550 no", false},
    {"a limit without a number", "message size  exceeds size limit 4 of server a[1]",
     false},
    {"empty", "", false},
};

TEST_CASE("a refusal is the server's own, and permanent", "[postfix-conf]") {
  for (const auto& c : kReasons) {
    DYNAMIC_SECTION(c.name) {
      CHECK(is_refusal(c.reason) == c.is_refusal);
    }
  }
}

constexpr Time kArrived(seconds(1'700'000'000));
constexpr hours kLifetime(48);
constexpr Time kNow = kArrived + hours(1);
constexpr const char* kSaid = "host a[203.0.113.7] said: 550 5.1.1 No such user";
constexpr const char* kLater = "host a[203.0.113.7] said: 450 4.2.0 Greylisted";

Generated hosting() {
  using enum OnRefusal;
  return hosting_of(
      {{.name = "bounce.example", .queue_lifetime = kLifetime},
       {.name = "hold.example", .queue_lifetime = kLifetime, .on_refusal = hold},
       {.name = "paused.example",
        .own = Row::paused,
        .queue_lifetime = kLifetime,
        .on_refusal = bounce_verified},
       {.name = "protect.example",
        .own = Row::protect,
        .queue_lifetime = kLifetime,
        .on_refusal = bounce_verified},
       {.name = "tried.example",
        .queue_lifetime = kLifetime,
        .on_refusal = bounce_verified},
       {.name = "verified.example",
        .queue_lifetime = kLifetime,
        .on_refusal = bounce_verified}});
}

QueuedMessage deferred(std::vector<QueuedRecipient> recipients) {
  QueuedMessage message;
  message.queue = "deferred";
  message.id = "4gT";
  message.arrived = kArrived;
  message.sender = "anna@sender.example";
  message.recipients = std::move(recipients);
  return message;
}

QueuedMessage held(QueuedMessage message) {
  message.queue = "hold";
  return message;
}

// Refusals of tried.example do not count; those of verified.example do since `since`.
PlanRules rules_at(Time now, Time since = {}) {
  PlanRules rules;
  rules.now = now;
  rules.started = kArrived - hours(1);
  rules.refusals_since = [since](const std::string& domain) {
    return domain == "tried.example" ? std::nullopt : std::optional(since);
  };
  return rules;
}

PlanRules started(PlanRules rules, Time when) {
  rules.started = when;
  return rules;
}

PlanRules stopped(PlanRules rules) {
  rules.obstacle = "clock";
  return rules;
}

struct RefusedCase {
  const char* name;
  QueuedMessage message;
  PlanRules rules;
  Step step;
  Cause cause;
  Record record{};
  Attempts attempts{kArrived + minutes(30), {}};
};

std::vector<RefusedCase> cases() {
  const auto one = [](const char* domain, const char* reason = kSaid) {
    return deferred({{std::string("a@") + domain, reason}});
  };
  const auto verified = [one] { return one("verified.example"); };
  const auto rules = rules_at(kNow);
  const Time due = kArrived + kLifetime + hours(1);
  const Attempts late{due - minutes(10), {}};
  return {
      {"refused", verified(), rules, Step::expire, Cause::refused},
      {"refused, with the rule hold", one("hold.example"), rules, Step::expire,
       Cause::refused},
      {"with the rule bounce, Postfix bounces", one("bounce.example"), rules, Step::keep,
       Cause::not_due},
      {"deferred for a while", one("verified.example", kLater), rules, Step::keep,
       Cause::not_due},
      {"two refused",
       deferred({{"a@verified.example", kSaid}, {"b@hold.example", kSaid}}), rules,
       Step::expire_several, Cause::refused},
      {"one refused, one deferred",
       deferred({{"a@verified.example", kSaid}, {"b@verified.example", kLater}}), rules,
       Step::keep, Cause::not_due},
      {"one refused, one without an entry in the log",
       deferred({{"a@verified.example", kSaid}, {"b@verified.example", {}}}), rules,
       Step::keep, Cause::not_due},
      {"one refused, one due",
       deferred({{"a@verified.example", kSaid}, {"b@verified.example", kLater}}),
       rules_at(due),
       Step::expire_several,
       Cause::refused,
       {},
       late},
      {"one refused, one due without an attempt",
       deferred({{"a@verified.example", kSaid}, {"b@verified.example", kLater}}),
       rules_at(due), Step::attempt, Cause::no_attempt},
      {"one refused, one of a paused domain",
       deferred({{"a@verified.example", kSaid}, {"b@paused.example", kLater}}),
       rules_at(due),
       Step::keep,
       Cause::endless,
       {},
       late},
      {"in protect mode", one("protect.example"), rules, Step::keep, Cause::endless},
      {"paused", one("paused.example"), rules, Step::keep, Cause::endless},
      {"while the return of the server is tried", one("tried.example"), rules, Step::keep,
       Cause::not_due},
      {"refused in the trial that is over", verified(),
       rules_at(kNow, kArrived + minutes(40)), Step::attempt, Cause::no_attempt},
      {"refused since the trial is over", verified(),
       rules_at(kNow, kArrived + minutes(20)), Step::expire, Cause::refused},
      {"refused in the trial, tried a short time ago",
       verified(),
       rules_at(kNow, kNow - minutes(2)),
       Step::keep,
       Cause::recent_attempt,
       {},
       {kNow - minutes(4), {}}},
      {"refused before the host was started", verified(),
       [&] {
         auto changed = rules;
         changed.started = kArrived + minutes(40);
         return changed;
       }(),
       Step::attempt, Cause::no_attempt},
      {"the clock is not to be trusted", verified(), stopped(rules), Step::keep,
       Cause::obstacle},
      {"on hold because of somebody else", held(verified()), rules, Step::keep,
       Cause::not_deferred},
      {"begun to be held, interrupted",
       held(verified()),
       rules,
       Step::release,
       Cause::interrupted,
       {Touch::holding, {}}},
      {"begun to be held, but it is not on hold",
       verified(),
       rules,
       Step::expire,
       Cause::refused,
       {Touch::holding, {}}},
      {"begun to bounce, interrupted",
       held(verified()),
       rules,
       Step::release,
       Cause::not_due,
       {Touch::expiring, {}}},
      {"due, begun to bounce, interrupted: its sender has to be verified again",
       held(verified()),
       rules_at(due),
       Step::release,
       Cause::interrupted,
       {Touch::expiring, {}}},
      {"the same, and by now it is to be held",
       held(one("hold.example")),
       rules_at(due),
       Step::release,
       Cause::interrupted,
       {Touch::expiring, {}}},
      {"held",
       held(verified()),
       rules,
       Step::keep,
       Cause::held,
       {Touch::held, kNow - kHeldFor + seconds(1)}},
      {"held for seven days, of which the host was up for one",
       held(verified()),
       started(rules, kNow - kUpBeforeDiscard),
       Step::discard,
       Cause::held,
       {Touch::held, kNow - kHeldFor}},
      {"held for seven days, but the host has just come back",
       held(verified()),
       started(rules, kNow - kUpBeforeDiscard + seconds(1)),
       Step::keep,
       Cause::held,
       {Touch::held, kNow - kHeldFor}},
      {"held for seven days by a wrong clock",
       held(verified()),
       stopped(rules),
       Step::keep,
       Cause::held,
       {Touch::held, kNow - kHeldFor}},
      {"held in the future",
       held(verified()),
       rules,
       Step::keep,
       Cause::held,
       {Touch::held, kNow + hours(1)}},
      {"held, and released by somebody else",
       verified(),
       rules,
       Step::attempt,
       Cause::no_attempt,
       {Touch::held, kNow - hours(2)}},
      {"held for a moment, and released",
       verified(),
       rules,
       Step::attempt,
       Cause::no_attempt,
       {Touch::held, kNow - minutes(1)},
       {kNow - minutes(2), {}}},
      {"released, not tried since",
       verified(),
       rules,
       Step::attempt,
       Cause::no_attempt,
       {Touch::released, kNow - minutes(20)}},
      {"released, refused again in the same second",
       verified(),
       rules,
       Step::expire,
       Cause::refused,
       {Touch::released, kArrived + minutes(30)}},
      {"released, refused again",
       verified(),
       rules,
       Step::expire,
       Cause::refused,
       {Touch::released, kNow - minutes(40)}},
      {"released, and put on hold by somebody else",
       held(verified()),
       rules,
       Step::keep,
       Cause::not_deferred,
       {Touch::released, kNow - hours(999)}},
  };
}

TEST_CASE("what the server refused ends by the rule of the domain", "[postfix-conf]") {
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

struct EndingCase {
  const char* name;
  std::vector<const char*> domains;
  Ending ending;
  Ending of_null_sender;
};

const EndingCase kEndings[] = {
    {"bounce", {"bounce.example"}, Ending::bounce, Ending::bounce},
    {"bounce to verified senders", {"verified.example"}, Ending::by_sender, Ending::hold},
    {"hold", {"hold.example"}, Ending::hold, Ending::hold},
    {"the strictest rule counts",
     {"bounce.example", "hold.example", "verified.example"},
     Ending::hold,
     Ending::hold},
    {"the stricter of two",
     {"verified.example", "bounce.example"},
     Ending::by_sender,
     Ending::hold},
    {"other mail", {"elsewhere.example"}, Ending::bounce, Ending::bounce},
};

TEST_CASE("a message ends by the strictest rule of its recipients", "[postfix-conf]") {
  const Generated generated = hosting();
  Terms terms(generated, std::nullopt);
  for (const auto& c : kEndings) {
    DYNAMIC_SECTION(c.name) {
      std::vector<QueuedRecipient> recipients;
      for (const std::string domain : c.domains) {
        recipients.push_back({"a@" + domain, kSaid});
      }
      auto message = deferred(recipients);
      CHECK(how_to_end(message, terms) == c.ending);
      message.sender = "MAILER-DAEMON";
      CHECK(how_to_end(message, terms) == c.of_null_sender);
    }
  }
}

TEST_CASE("on hold it still ends if it is refused or due", "[postfix-conf]") {
  const Generated generated = hosting();
  Terms terms(generated, std::nullopt);
  const auto rules = rules_at(kNow);
  const auto ends = [&](std::vector<QueuedRecipient> recipients) {
    return still_ends(held(deferred(std::move(recipients))), terms, rules);
  };
  CHECK(ends({{"a@verified.example", kSaid}, {"b@verified.example", kSaid}}));
  CHECK_FALSE(ends({{"a@verified.example", kSaid}, {"b@verified.example", kLater}}));
  CHECK_FALSE(ends({{"a@verified.example", kSaid}, {"b@verified.example", {}}}));
  CHECK_FALSE(ends({{"a@tried.example", kSaid}}));
  CHECK_FALSE(ends({}));
  CHECK_FALSE(still_ends(deferred({{"a@verified.example", kSaid}}), terms, rules));
  CHECK_FALSE(
      still_ends(held(deferred({{"a@verified.example", kSaid}})), terms, stopped(rules)));
  CHECK(still_ends(held(deferred({{"a@verified.example", kLater}})), terms,
                   rules_at(kArrived + kLifetime)));
}

// Steps of a plan with so many messages of each kind, by name.
std::map<std::string, std::size_t> steps_of(std::size_t verified, std::size_t forged,
                                            std::size_t unknown,
                                            std::size_t allowed = 0) {
  const Generated generated = hosting();
  Terms terms(generated, std::nullopt);
  PlanRules rules = rules_at(kNow);
  rules.allowed = allowed;
  QueuePlan plan(terms, rules, [](std::string_view) { return Record(); });
  for (std::size_t i = 0; i < verified + forged + unknown; ++i) {
    auto message = deferred({{"a@verified.example", kSaid}});
    message.sender = i < verified            ? "verified@sender.example"
                     : i < verified + forged ? "forged@sender.example"
                                             : "unknown@sender.example";
    plan.add(message, {kNow - minutes(1), {}});
  }
  plan.settle([](const PlannedStep& one) -> std::optional<bool> {
    if (one.sender.starts_with("unknown")) return std::nullopt;
    return one.sender.starts_with("verified");
  });
  std::map<std::string, std::size_t> steps;
  for (const auto& one : plan.steps()) {
    CHECK(one.is_refused);
    ++steps[std::string(to_string(one.step))];
  }
  CHECK(plan.due() == verified);
  CHECK(plan.is_braked() == (verified > 0 && !steps.contains("expire")));
  return steps;
}

TEST_CASE("only a verified sender gets a bounce", "[postfix-conf]") {
  using Steps = std::map<std::string, std::size_t>;
  CHECK(steps_of(10, 1000, 5) == Steps{{"expire", 10}, {"hold", 1000}});
  CHECK(steps_of(0, 0, 5).empty());
}

TEST_CASE("the brake prevents bounces, and nothing is kept from hold", "[postfix-conf]") {
  using Steps = std::map<std::string, std::size_t>;
  CHECK(steps_of(101, 1000, 0) == Steps{{"hold", 1000}});
  CHECK(steps_of(101, 1000, 0, 101) == Steps{{"expire", 101}, {"hold", 1000}});
}

TEST_CASE("a plan tells what was spared, and what was released", "[postfix-conf]") {
  const Generated generated = hosting();
  Terms terms(generated, std::nullopt);
  QueuePlan plan(terms, rules_at(kNow), [](std::string_view id) {
    return Record{id == "ours" ? Touch::held : Touch::none, kNow};
  });
  plan.add(deferred({{"a@protect.example", kSaid}, {"a@tried.example", kSaid}}), {});
  plan.add(deferred({{"a@verified.example", kSaid}, {"a@bounce.example", kSaid}}), {});
  auto released = deferred({{"a@paused.example", kLater}});
  released.id = "ours";
  plan.add(held(released), {});
  CHECK(plan.released().empty());
  plan.add(released, {});
  CHECK(plan.spared() == std::set<std::string>{"protect.example", "tried.example"});
  CHECK(plan.released() == std::vector<std::string>{"ours"});
}

}  // namespace
}  // namespace mxfeed
