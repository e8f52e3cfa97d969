// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/scored_list.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("a scored list has a subject, a mask and a weight", "[policy]") {
  const auto list = ScoredList::parse("client  zen.example=127.0.0.[2..11] -2.5");
  REQUIRE(list);
  CHECK(list->subject() == ScoredList::Subject::client);
  CHECK(list->zone() == "zen.example");
  CHECK(list->log_odds() == -2.5);
  CHECK(list->counts(*IpAddress::parse("127.0.0.11")));
  CHECK_FALSE(list->counts(*IpAddress::parse("127.0.0.12")));
  CHECK(ScoredList::parse("url u.example=127.0.1.2 4")->subject() ==
        ScoredList::Subject::url);
  CHECK(ScoredList::parse("sender u.example=127.0.1.2 4")->subject() ==
        ScoredList::Subject::sender);
}

TEST_CASE("what is no scored list is refused, and why is said", "[policy]") {
  for (const char* text :
       {"", "client", "client zen.example 2", "zen.example=127.0.0.2 2",
        "host zen.example=127.0.0.2 2", "client zen.example=127.0.0.2 much",
        "client zen.example=127.0.0.2 0", "client zen.example=127.0.0.2 7.5",
        "client zen.example=127.0.0.2 nan", "client zen.example=127.0.0.2 2 3"}) {
    INFO(text);
    CHECK_FALSE(ScoredList::parse(text));
    CHECK_FALSE(ScoredList::why_not(text).empty());
  }
  CHECK(ScoredList::why_not("client zen.example=127.0.0.2 2").empty());
}

}  // namespace
}  // namespace mxfeed
