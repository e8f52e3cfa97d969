// SPDX-License-Identifier: GPL-2.0-or-later
//
// The filter and what Postfix refuses by itself; and traps, which need not exist.

#include "tests/support/catch.h"
#include "tests/unit/greylist/filter_rig.h"

namespace mxfeed::greylist {
namespace {

TEST_CASE("a sender that Postfix has deferred does not wait again", "[greylist]") {
  Rig rig;
  rig.sender = GENERATE("<a@plain.example>", "<a@sender.example>", "<>");
  const bool is_null = rig.sender == "<>";
  const auto answers = [&](const char* reason) {
    return is_null ? Reasons{"", reason} : Reasons{reason};
  };
  rig.refuse({"<x@acme.example>"}, "4.2.1");
  rig.refuse({"<y@acme.example>"}, "5.7.1");
  rig.refuse({"<z@elsewhere.example>"}, "4.7.1");  // relay access denied
  rig.now += 100;
  rig.refuse({"<x@acme.example>"}, "4.2.1");  // does not begin again
  rig.now += 80;
  CHECK(rig.reasons({"<y@acme.example>"}) == answers("greylist-first-seen"));
  CHECK(rig.reasons({"<x@acme.example>"}) == answers("greylist-passed"));
}

TEST_CASE("deferrals of Postfix count for the limit of a network", "[greylist]") {
  Rig rig;
  for (unsigned i = 0; i < GreylistMilter::kMostOfNetwork; ++i) {
    rig.sender = fmt::format("<{}@plain.example>", i);
    rig.refuse({"<x@acme.example>"}, "4.3.2");
  }
  rig.sender = "<another@plain.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-flood"});
}

TEST_CASE("after mail to a trap new senders of the client wait longer", "[greylist]") {
  struct Row {
    const char* sender;
    const char* from_elsewhere;  // another client of the same domain
    bool waits_there_too;
  };
  const Row row = GENERATE(Row{"<a@plain.example>", "198.51.100.8", false},
                           Row{"<a@sender.example>", "192.0.2.77", true});
  CAPTURE(row.sender);
  Rig rig;
  rig.sender = row.sender;
  CHECK(rig.reasons({"<Old-Sales@acme.example>"}) == Reasons{"greylist-first-seen"});
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.client = row.from_elsewhere;
  CHECK(rig.reasons({"<y@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 3599;
  CHECK(rig.reasons({"<y@acme.example>"}) ==
        Reasons{row.waits_there_too ? "greylist-too-early" : "greylist-passed"});
  rig.client = "198.51.100.7";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-too-early"});
  rig.now += 1;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
}

TEST_CASE("a trap is forgotten after a day, and known senders do not feel it",
          "[greylist]") {
  Rig rig;
  rig.reasons({"<x@acme.example>"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
  rig.sender = "<b@other.example>";
  rig.refuse({"<old-sales@acme.example>"}, "5.1.1");
  rig.sender = "<a@plain.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-known"});
  rig.sender = "<b@other.example>";
  rig.reasons({"<x@acme.example>"});
  rig.now += 3000;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-too-early"});
  rig.now += 86'400;
  rig.reasons({"<x@acme.example>"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
}

TEST_CASE("many unknown recipients are as a trap, unless the client is verified",
          "[greylist]") {
  struct Row {
    const char* sender;
    unsigned unknown;
    const char* status;
    const char* reason;
  };
  const Row row = GENERATE(Row{"<a@plain.example>", 9, "5.1.1", "greylist-passed"},
                           Row{"<a@plain.example>", 10, "5.1.1", "greylist-too-early"},
                           Row{"<a@plain.example>", 10, "5.7.1", "greylist-passed"},
                           Row{"<a@sender.example>", 10, "5.1.1", "greylist-passed"});
  CAPTURE(row.sender, row.unknown, row.status);
  Rig rig;
  rig.sender = row.sender;
  for (unsigned i = 0; i < row.unknown; ++i) {
    rig.refuse({"<nobody@acme.example>"}, row.status);
  }
  rig.reasons({"<x@acme.example>"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{row.reason});
}

}  // namespace
}  // namespace mxfeed::greylist
