// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/overview.h"

#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/queue/hosting.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Time kNoon(seconds(1'700'000'000));

QueuedMessage message_of(const char* queue, std::vector<QueuedRecipient> recipients,
                         Time arrived = kNoon) {
  QueuedMessage message;
  message.queue = queue;
  message.arrived = arrived;
  message.size = 1000;
  message.recipients = std::move(recipients);
  return message;
}

TEST_CASE("the queue is summed up by domain", "[postfix-conf]") {
  const Generated generated =
      hosting_of({{.name = "acme.example", .queue_lifetime = hours(48)},
                  {.name = "other.example", .queue_lifetime = hours(120)}});
  Terms terms(generated, std::nullopt);
  Overview overview(terms, [](std::string_view id) {
    return Record{id == "ours" ? Touch::held : Touch::none, kNoon};
  });
  overview.add(message_of("deferred", {{"a@acme.example", "first"}}),
               {kNoon + seconds(10), kNoon + seconds(400)});
  overview.add(
      message_of("deferred", {{"a@Acme.example", "second"}, {"b@acme.example", "second"}},
                 kNoon + hours(1)),
      {kNoon + seconds(20), kNoon + seconds(300)});
  overview.add(message_of("hold", {{"a@acme.example", "old"}}, kNoon - hours(100)), {});
  overview.add(message_of("active", {{"a@other.example", {}}, {"a@elsewhere", {}}}), {});
  REQUIRE(overview.domains().size() == 3);

  const auto& acme = overview.domains().at("acme.example");
  CHECK(acme.messages == 3);
  CHECK(acme.held == 1);
  CHECK(acme.held_by_keeper == 0);
  CHECK(acme.refused == 0);
  CHECK(acme.size == 3000);
  CHECK(acme.oldest == kNoon - hours(100));
  CHECK(acme.expires == kNoon + hours(48));
  CHECK(acme.next_try == kNoon + seconds(300));
  CHECK(acme.reason == "second");

  // It has to wait for the other recipient, which the keeper leaves alone.
  const auto& other = overview.domains().at("other.example");
  CHECK(other.messages == 1);
  CHECK(other.expires == std::nullopt);
  CHECK(other.next_try == std::nullopt);
  CHECK(other.reason.empty());

  // What the keeper has on hold is deleted.
  const char* const said = "host a[203.0.113.7] said: 550 5.1.1 No such user";
  auto held = message_of("hold", {{"a@held.example", said}, {"b@held.example", said}});
  held.id = "ours";
  overview.add(held, {});
  held.queue = "deferred";
  held.recipients = {{"a@released.example", said}};
  overview.add(held, {});
  const auto& ours = overview.domains().at("held.example");
  CHECK(ours.held == 1);
  CHECK(ours.held_by_keeper == 1);
  CHECK(ours.refused == 1);
  CHECK(ours.expires == kNoon + kHeldFor);
  CHECK(overview.domains().at("released.example").held_by_keeper == 0);
  CHECK(overview.domains().at("released.example").refused == 1);
}

TEST_CASE("a name is within itself and its parents", "[postfix-conf]") {
  CHECK(is_within("acme.example", "acme.example"));
  CHECK(is_within("a.acme.example", "acme.example"));
  CHECK_FALSE(is_within("xacme.example", "acme.example"));
  CHECK_FALSE(is_within("example", "acme.example"));
}

}  // namespace
}  // namespace mxfeed
