// SPDX-License-Identifier: GPL-2.0-or-later
//
// The filter and what the operator says of senders: lists, and DNS block lists.

#include "tests/support/catch.h"
#include "tests/unit/greylist/filter_rig.h"

namespace mxfeed::greylist {
namespace {

TEST_CASE("an allowed client is not greylisted", "[greylist]") {
  Rig rig;
  rig.client = "192.0.2.200";
  CHECK(rig.reasons({"<x@acme.example>", "<y@slow.example>"}) ==
        Reasons{"greylist-allowed", "greylist-allowed"});
  rig.sender = "<>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-allowed", ""});
  rig.client = "192.0.2.201";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"", "greylist-first-seen"});
}

TEST_CASE("an allowed sender counts only if SPF confirms it", "[greylist]") {
  struct {
    const char* name;
    const char* client;
    const char* sender;
    bool dns_works;
    const char* reason;
  } const rows[] = {
      {"confirmed", "198.51.100.7", "<a@friend.example>", true, "greylist-allowed"},
      {"forged", "203.0.112.9", "<a@friend.example>", true, "greylist-first-seen"},
      {"not known in time", "198.51.100.7", "<a@friend.example>", false,
       "greylist-first-seen"},
      {"a domain below without a record", "198.51.100.7", "<a@sub.friend.example>", true,
       "greylist-first-seen"},
      {"by a record that allows anybody", "198.51.100.7", "<a@open.example>", true,
       "greylist-first-seen"},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Rig rig;
      rig.client = row.client;
      rig.sender = row.sender;
      rig.dns_works = row.dns_works;
      CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{row.reason});
    }
  }
}

TEST_CASE("of a denied client each sender and recipient waits for itself", "[greylist]") {
  Rig rig;
  rig.sender = "<a@sender.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
  CHECK(rig.reasons({"<y@acme.example>"}) == Reasons{"greylist-known-identity"});
  rig.client = "198.51.100.99";
  CHECK(rig.reasons({"<y@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 200;
  CHECK(rig.reasons({"<y@acme.example>", "<z@acme.example>"}) ==
        Reasons{"greylist-passed", "greylist-first-seen"});
  CHECK(rig.reasons({"<y@acme.example>"}) == Reasons{"greylist-known"});
}

TEST_CASE("a denied client waits whatever `when` says", "[greylist]") {
  Rig rig;
  rig.client_name = "mx.good.example";
  CHECK(rig.reasons({"<x@off.example>", "<x@strict.example>"}) == Reasons{"", ""});
  SECTION("never") {
    rig.client = "198.51.100.99";
    CHECK(rig.reasons({"<x@off.example>"}) == Reasons{"greylist-first-seen"});
    rig.now += 200;
    CHECK(rig.reasons({"<x@off.example>"}) == Reasons{"greylist-passed"});
  }
  SECTION("suspicious") {
    rig.client_name = "mx.verified.example";
    CHECK(rig.reasons({"<x@strict.example>"}) == Reasons{"greylist-first-seen"});
  }
  SECTION("shadow mode") {
    rig.client = "198.51.100.99";
    CHECK(rig.reasons({"<x@shadow.example>"}) == Reasons{"greylist-shadow"});
  }
  SECTION("another MX of the domain") {
    rig.client = "203.0.112.88";
    CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  }
  SECTION("but not if it is trusted, nor to postmaster") {
    rig.client = "203.0.113.99";
    CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{""});
    rig.client = "198.51.100.99";
    CHECK(rig.reasons({"<postmaster@acme.example>"}) == Reasons{""});
  }
}

TEST_CASE("a denied sender is found though its identity is known", "[greylist]") {
  Rig rig;
  rig.sender = "<other@firm.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
  CHECK(rig.reasons({"<y@acme.example>"}) == Reasons{"greylist-known-identity"});
  rig.sender = "<bulk@firm.example>";
  CHECK(rig.reasons({"<y@acme.example>", "<x@off.example>"}) ==
        Reasons{"greylist-first-seen", "greylist-first-seen"});
  // Forged: not that sender.
  rig.client = "203.0.112.9";
  CHECK(rig.reasons({"<x@off.example>"}) == Reasons{""});
}

TEST_CASE("the list of the domain wins over that of the gateway", "[greylist]") {
  Rig rig;
  rig.client_name = "mx.good.example";
  rig.client = "192.0.2.200";
  CHECK(rig.reasons({"<x@acme.example>", "<x@strict.example>", "<y@acme.example>"}) ==
        Reasons{"greylist-allowed", "greylist-first-seen", "greylist-allowed"});
  rig.client = "198.51.100.99";
  CHECK(rig.reasons({"<x@kind.example>", "<x@acme.example>", "<y@kind.example>"}) ==
        Reasons{"greylist-allowed", "greylist-first-seen", "greylist-allowed"});
}

TEST_CASE("a denied recipient neither decides nor follows", "[greylist]") {
  Rig rig;
  rig.client_name = "mx.verified.example";
  CHECK(rig.reasons({"<y@strict.example>", "<x@acme.example>", "<z@slow.example>"}) ==
        Reasons{"greylist-first-seen", "greylist-first-seen", "greylist-follows"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>", "<n@strict.example>", "<m@acme.example>",
                     "<y@strict.example>"}) ==
        Reasons{"greylist-passed", "greylist-first-seen", "greylist-follows",
                "greylist-passed"});
  CHECK(rig.reasons({"<o@strict.example>", "<x@acme.example>"}) ==
        Reasons{"greylist-first-seen", "greylist-known"});
}

TEST_CASE("a bounce of a denied client waits at DATA", "[greylist]") {
  Rig rig;
  rig.client = "198.51.100.99";
  rig.sender = "<>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"", "greylist-first-seen"});
  CHECK(rig.reasons({"<x@off.example>"}) == Reasons{"", "greylist-first-seen"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>", "<x@off.example>"}) ==
        Reasons{"", "", "greylist-passed"});
  CHECK(rig.reasons({"<x@acme.example>", "<postmaster@acme.example>"}) ==
        Reasons{"", "", ""});
}

TEST_CASE("a client with a name is suspicious if a block list has it", "[greylist]") {
  Rig rig;
  rig.client_name = "mx.good.example";
  CHECK(rig.reasons({"<x@off.example>"}) == Reasons{""});
  CHECK(rig.lists_asked == 0);
  CHECK(rig.reasons({"<x@strict.example>", "<y@strict.example>"}) == Reasons{"", ""});
  CHECK(rig.lists_asked == 1);
  rig.client = "198.51.100.51";
  CHECK(rig.reasons({"<x@strict.example>"}) == Reasons{""});
  rig.client = "198.51.100.50";
  CHECK(rig.reasons({"<x@off.example>", "<x@strict.example>"}) ==
        Reasons{"", "greylist-first-seen"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@strict.example>"}) == Reasons{"greylist-passed"});
  // One that has no name might be verified by SPF, which takes as long.
  rig.lists_asked = 0;
  rig.client_name = "";
  rig.client = "203.0.112.9";
  CHECK(rig.reasons({"<x@strict.example>"}) == Reasons{"greylist-first-seen"});
  CHECK(rig.lists_asked == 1);
}

}  // namespace
}  // namespace mxfeed::greylist
