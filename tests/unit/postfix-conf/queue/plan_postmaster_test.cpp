// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the plan does with mail for postmasters whose servers refuse it.

#include "postfix-conf/queue/plan.h"
#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/queue/hosting.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time kArrived(seconds(1'700'000'000));
constexpr Time kNow = kArrived + hours(1);
constexpr const char* kRefusal =
    "host mail.acme.example[192.0.2.7] said: 550 5.1.1 No such user (in reply to RCPT TO "
    "command)";
constexpr const char* kRefused = "postmaster@acme.example";

Generated hosting() {
  Generated generated = hosting_of({
      {.name = "acme.example",
       .below = Row::active,
       .queue_lifetime = hours(48),
       .on_refusal = OnRefusal::bounce_verified},
      {.name = "bounce.example", .queue_lifetime = hours(48)},
      {.name = "protect.example",
       .own = Row::protect,
       .queue_lifetime = hours(48),
       .on_refusal = OnRefusal::bounce_verified},
  });
  return generated;
}

QueuedMessage refused(std::vector<std::string> recipients) {
  QueuedMessage message;
  message.queue = "deferred";
  message.id = "4gT";
  message.arrived = kArrived;
  message.sender = "anna@sender.example";
  for (auto& one : recipients) message.recipients.push_back({std::move(one), kRefusal});
  return message;
}

PlanRules rules() {
  PlanRules rules;
  rules.now = kNow;
  rules.goes_to_provider = [](const std::string&) { return true; };
  return rules;
}

struct Case {
  const char* name;
  QueuedMessage message;
  Step step;
  PlanRules rules = {};
  Record record = {};
};

template <typename T>
T changed(T value, void (*change)(T&)) {
  change(value);
  return value;
}

std::vector<Case> cases() {
  return {
      {"a postmaster", refused({kRefused}), Step::redirect, rules()},
      {"in any case, below a domain", refused({"PostMaster@Sub.Acme.Example"}),
       Step::redirect, rules()},
      {"where Postfix would bounce", refused({"postmaster@bounce.example"}),
       Step::redirect, rules()},
      {"besides another one that is refused", refused({kRefused, "x@acme.example"}),
       Step::redirect, rules()},
      {"another recipient", refused({"x@acme.example"}), Step::expire, rules()},
      {"nobody to send it to", refused({kRefused}), Step::expire,
       changed<PlanRules>(rules(), [](auto& r) { r.goes_to_provider = nullptr; })},
      {"nobody, where Postfix would bounce", refused({"postmaster@bounce.example"}),
       Step::expire,
       changed<PlanRules>(rules(), [](auto& r) { r.goes_to_provider = nullptr; })},
      {"it does not take the route", refused({kRefused}), Step::expire,
       changed<PlanRules>(rules(),
                          [](auto& r) {
                            r.goes_to_provider = [](const std::string& key) {
                              return key != kRefused;
                            };
                          })},
      {"deferred, not refused",
       changed<QueuedMessage>(
           refused({kRefused}),
           [](auto& m) { m.recipients[0].delay_reason = "connect to x"; }),
       Step::keep, rules()},
      {"in protect mode", refused({"postmaster@protect.example"}), Step::keep, rules()},
      {"of another domain", refused({"postmaster@elsewhere.example"}), Step::keep,
       rules()},
      {"while its return is tried", refused({kRefused}), Step::keep,
       changed<PlanRules>(rules(),
                          [](auto& r) {
                            r.refusals_since = [](const std::string&) {
                              return std::optional<Time>();
                            };
                          })},
      {"the refusal was before that ended", refused({kRefused}), Step::attempt,
       changed<PlanRules>(rules(),
                          [](auto& r) {
                            r.refusals_since = [](const std::string&) {
                              return std::optional(kNow - minutes(1));
                            };
                          })},
      {"the clock is not to be trusted", refused({kRefused}), Step::redirect,
       changed<PlanRules>(rules(), [](auto& r) { r.obstacle = "clock"; })},
      {"after its lifetime", refused({kRefused}), Step::redirect,
       changed<PlanRules>(rules(), [](auto& r) { r.now = kArrived + hours(100); })},
      {"being delivered",
       changed<QueuedMessage>(refused({kRefused}), [](auto& m) { m.queue = "active"; }),
       Step::keep, rules()},
      {"on hold because of us, for a bounce",
       changed<QueuedMessage>(refused({kRefused}), [](auto& m) { m.queue = "hold"; }),
       Step::release,
       changed<PlanRules>(rules(), [](auto& r) { r.now = kArrived + hours(100); }),
       {Touch::expiring, {}}},
  };
}

TEST_CASE("what a postmaster's server refuses goes to the provider", "[postfix-conf]") {
  const Generated generated = hosting();
  Terms terms(generated, std::nullopt);
  for (const auto& c : cases()) {
    DYNAMIC_SECTION(c.name) {
      const Attempts attempts = {kNow - minutes(10), {}};
      const auto got = judge(c.message, attempts, c.record, terms, c.rules);
      CHECK(to_string(got.step) == to_string(c.step));
    }
  }
}

TEST_CASE("a message on hold does not end while a postmaster waits for the provider",
          "[postfix-conf]") {
  const Generated generated = hosting();
  Terms terms(generated, std::nullopt);
  auto message = refused({kRefused, "x@acme.example"});
  message.queue = "hold";
  CHECK_FALSE(still_ends(message, terms, rules()));
  message.recipients.erase(message.recipients.begin());
  CHECK(still_ends(message, terms, rules()));
}

TEST_CASE("a step tells which postmasters were refused", "[postfix-conf]") {
  const Generated generated = hosting();
  Terms terms(generated, std::nullopt);
  QueuePlan plan(terms, rules(), [](std::string_view) { return Record(); });
  auto message =
      refused({"Postmaster@ACME.example", "x@acme.example", "postmaster@bounce.example"});
  message.recipients.push_back({"postmaster@sub.acme.example", "connect to x"});
  plan.add(message, {kNow - minutes(10), {}});
  const auto steps = plan.steps();
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].postmasters ==
        std::vector<std::string>{kRefused, "postmaster@bounce.example"});
  CHECK(plan.due() == 0);
}

}  // namespace
}  // namespace mxfeed
