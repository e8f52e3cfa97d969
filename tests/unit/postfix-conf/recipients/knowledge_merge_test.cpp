// SPDX-License-Identifier: GPL-2.0-or-later
#include <optional>

#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/recipients/knowledge_cases.h"

namespace mxfeed::recipients {
namespace {

TEST_CASE("of what two stores know of an address, the later counts", "[recipients]") {
  const auto at = [](Standing standing, seconds age) {
    return std::optional(address(standing, age));
  };
  const auto kOld = kAcceptedFor;
  struct {
    const char* claim;
    std::optional<Address> a, b, merged;
  } const cases[] = {
      {"nobody knows", {}, {}, {}},
      {"one knows", at(Standing::refused, hours(1)), {}, at(Standing::refused, hours(1))},
      {"the other knows", {}, at(Standing::doubted, {}), at(Standing::doubted, {})},
      {"a later refusal", at(Standing::accepted, hours(2)),
       at(Standing::refused, hours(1)), at(Standing::refused, hours(1))},
      {"a later acceptance", at(Standing::accepted, hours(1)),
       at(Standing::refused, hours(2)), at(Standing::accepted, hours(1))},
      {"of the same second", at(Standing::accepted, hours(1)),
       at(Standing::refused, hours(1)), at(Standing::refused, hours(1))},
      {"try again later", at(Standing::accepted, hours(2)),
       at(Standing::deferred, hours(1)), at(Standing::accepted, hours(2))},
      {"doubted later", at(Standing::doubted, hours(1)), at(Standing::accepted, hours(2)),
       at(Standing::accepted, hours(2))},
      {"an acceptance that no longer counts", at(Standing::accepted, kOld),
       at(Standing::deferred, hours(1)), at(Standing::deferred, hours(1))},
      {"a refusal is no acceptance", at(Standing::refused, hours(2)),
       at(Standing::deferred, hours(1)), at(Standing::deferred, hours(1))},
      {"the clock of the other is a minute fast", at(Standing::refused, hours(1)),
       at(Standing::accepted, -minutes(1)), at(Standing::accepted, -minutes(1))},
      {"the clock went back a day", at(Standing::refused, -kDay),
       at(Standing::doubted, {}), at(Standing::doubted, {})},
      {"the clock went back, but it was accepted", at(Standing::accepted, -kDay),
       at(Standing::doubted, {}), at(Standing::accepted, -kDay)},
  };
  for (const auto& c : cases) {
    INFO(c.claim);
    CHECK(merge(Knowledge{c.a, {}}, Knowledge{c.b, {}}, kNow).address == c.merged);
    if (!c.a || !c.b || c.a->at != c.b->at) {
      CHECK(merge(Knowledge{c.b, {}}, Knowledge{c.a, {}}, kNow).address == c.merged);
    }
  }
}

TEST_CASE("whether a server is down, the last attempt of all tells", "[recipients]") {
  Server up = tells_apart();
  up.accepted_at = up.recovered_at = ago(minutes(2));
  const auto merged = [](const Server& a, const Server& b) {
    return merge(Knowledge{{}, a}, Knowledge{{}, b}, kNow).server;
  };
  for (const bool is_later : {false, true}) {
    const Server failed = down(is_later ? minutes(1) : minutes(3));
    CHECK(is_down(merged(up, failed), kNow) == is_later);
    CHECK(merged(up, failed) == merged(failed, up));
    CHECK(merged(up, failed).accepted_at == up.accepted_at);
    CHECK(merged(up, failed).recovered_at == up.recovered_at);
  }
  CHECK(merged(up, {}) == up);
  CHECK(merged({}, up) == up);
  // What only one has tried is kept.
  Server caught = catch_all(hours(1));
  caught.not_askable_at = ago(hours(2));
  up.random_at = Time();
  CHECK(merged(up, caught).takes_random);
  CHECK(merged(up, caught).random_at == caught.random_at);
  CHECK(merged(up, caught).not_askable_at == caught.not_askable_at);
  // After the clock went back, what is learned now is later.
  CHECK_FALSE(is_down(merged(down(-kDay), up), kNow));
}

}  // namespace
}  // namespace mxfeed::recipients
