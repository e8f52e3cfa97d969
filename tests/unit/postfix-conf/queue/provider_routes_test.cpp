// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/provider_routes.h"

#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/queue/hosting.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Time kNow(seconds(1'700'000'000));
constexpr const char* kKey = "postmaster@acme.example";

Generated hosting(OnRefusal on_refusal = OnRefusal::hold) {
  Generated generated = hosting_of(
      {{.name = "acme.example", .below = Row::active, .on_refusal = on_refusal},
       {.name = "paused.example", .own = Row::paused}});
  for (auto& one : generated.hosted) one.route = "[192.0.2.7]:25";
  generated.master_cf = {"mxfeed-provider unix - n n - - pipe argv=x"};
  return generated;
}

Destination in(Passage passage) {
  Destination one;
  one.passage = passage;
  return one;
}

TEST_CASE("a postmaster is known by its name in any case", "[postfix-conf]") {
  CHECK(postmaster_key("PostMaster@ACME.Example") == kKey);
  CHECK(postmaster_key("postmaster@sub.acme.example") == "postmaster@sub.acme.example");
  CHECK(postmaster_key("\"postmaster\"@acme.example") == kKey);
  for (const char* const other :
       {"abuse@acme.example", "postmasters@acme.example", "postmaster",
        "postmaster+x@acme.example", "info@postmaster.example"}) {
    INFO(other);
    CHECK(postmaster_key(other).empty());
  }
}

TEST_CASE("mail that is refused takes a route for an hour", "[postfix-conf]") {
  CHECK(may_take_route({}, kKey, kNow));
  CHECK_FALSE(is_noticed({}, kKey, kNow));
  const ProviderRoutes routes{{kKey, {kNow, kNow}}};
  CHECK_FALSE(is_noticed(routes, kKey, kNow + kProviderRouteNoticed - seconds(1)));
  CHECK(is_noticed(routes, kKey, kNow + kProviderRouteNoticed));
  CHECK(may_take_route(routes, kKey, kNow + kProviderRouteTried - seconds(1)));
  CHECK_FALSE(may_take_route(routes, kKey, kNow + kProviderRouteTried));
  CHECK(may_take_route(routes, "postmaster@other.example", kNow + kProviderRouteTried));
}

TEST_CASE("a route is kept for a day after mail has waited for it", "[postfix-conf]") {
  const Generated generated = hosting();
  Terms terms(generated, {});
  const auto kept = [&](const char* key, ProviderRoute route, Time now) {
    return is_kept(route, key, now, terms, generated);
  };
  const Time late = kNow + hours(100);
  CHECK(kept(kKey, {kNow, late}, late + hours(24) - seconds(1)));
  CHECK_FALSE(kept(kKey, {kNow, late}, late + hours(24)));
  CHECK(kept("postmaster@sub.acme.example", {kNow, kNow}, kNow));
  CHECK_FALSE(kept("postmaster@paused.example", {kNow, kNow}, kNow));
  CHECK_FALSE(kept("postmaster@gone.example", {kNow, kNow}, kNow));
  // Of another clock.
  CHECK_FALSE(kept(kKey, {kNow + seconds(1), kNow}, kNow));
}

TEST_CASE("a route to the provider comes before one of the domain", "[postfix-conf]") {
  const ProviderRoutes routes{{kKey, {kNow, kNow}}};
  const OverlayLines provider = {{kKey, "mxfeed-provider:"}};
  CHECK(overlay_lines({}, routes, hosting()) == provider);
  CHECK(overlay_lines({{"acme.example", in(Passage::open)}}, routes, hosting()) ==
        provider);
  const OverlayLines both = {{kKey, "mxfeed-provider:"},
                             {"acme.example", "mxfeed-soft:[192.0.2.7]:25"},
                             {".acme.example", "mxfeed-soft:[192.0.2.7]:25"}};
  for (const auto on_refusal : {OnRefusal::hold, OnRefusal::bounce}) {
    CHECK(overlay_lines({{"acme.example", in(Passage::trial)}}, routes,
                        hosting(on_refusal)) == both);
  }
}

TEST_CASE("a server that is away is so for a postmaster with a row of its own",
          "[postfix-conf]") {
  const std::map<std::string, Destination> away = {{"acme.example", in(Passage::closed)}};
  const auto lines = overlay_lines(away, {}, hosting(OnRefusal::bounce));
  REQUIRE(lines.size() == 3);
  CHECK(lines[2].first == kKey);
  CHECK(lines[2].second == lines[0].second);
  CHECK(overlay_lines(away, {}, hosting()).size() == 2);
  Generated without = hosting(OnRefusal::bounce);
  without.master_cf.clear();
  CHECK(overlay_lines(away, {}, without).size() == 2);
}

}  // namespace
}  // namespace mxfeed
