// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/lists/list_evidence.h"

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

TEST_CASE("of the lists of one kind the strongest counts, for spam and for ham",
          "[spam]") {
  const auto list = [](const char* text) { return *ScoredList::parse(text); };
  const ScoredList weak = list("client a.example=127.0.0.2 1");
  const ScoredList strong = list("client b.example=127.0.0.2 3");
  const ScoredList good = list("client w.example=127.0.0.2 -2");
  const ScoredList link = list("url u.example=127.0.0.2 4");
  const ScoredList silent = list("sender s.example=127.0.0.2 5");
  const auto found = evidence_of({{&weak, "1.2.0.192", ListSays::listed},
                                  {&strong, "1.2.0.192", ListSays::listed},
                                  {&good, "1.2.0.192", ListSays::listed},
                                  {&silent, "x", ListSays::clear},
                                  {&silent, "y", ListSays::unknown},
                                  {&link, "x", ListSays::listed}});
  REQUIRE(found.size() == 3);
  CHECK(found[0].slug == "client-listed");
  CHECK(found[0].logit == 3);
  CHECK(found[1].slug == "client-allowed");
  CHECK(found[1].logit == -2);
  CHECK(found[2].slug == "url-listed");
  CHECK(found[2].logit == 4);
  CHECK(evidence_of({}).empty());
}

TEST_CASE("what is listed is told as it was asked for", "[spam]") {
  const ScoredList list = *ScoredList::parse("client a.example=127.0.0.2 1");
  CHECK(listed_names({{&list, "1.2.0.192", ListSays::listed},
                      {&list, "3.2.0.192", ListSays::clear},
                      {&list, "2.2.0.192", ListSays::listed}}) ==
        "1.2.0.192.a.example, 2.2.0.192.a.example");
}

}  // namespace
}  // namespace mxfeed::spam
