// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/filter.h"

#include "tests/support/catch.h"
#include "tests/unit/greylist/filter_rig.h"

namespace mxfeed::greylist {
namespace {

TEST_CASE("a sender waits for the delay of the domain", "[greylist]") {
  Rig rig;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 179;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-too-early"});
  rig.now += 1;
  CHECK(rig.reasons({"<X@ACME.example>"}) == Reasons{"greylist-passed"});
  rig.now += 86'400 * 30;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-known"});
}

TEST_CASE("a server of the same sender may try again from another network",
          "[greylist]") {
  Rig rig;
  rig.sender = "<a@sender.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 200;
  rig.client = "192.0.2.77";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
  // Whatever of the domain comes next is known.
  rig.sender = "<b@sender.example>";
  rig.client = "198.51.100.9";
  CHECK(rig.reasons({"<y@slow.example>", "<x@acme.example>"}) ==
        Reasons{"greylist-known-identity", "greylist-follows"});
  // But not from elsewhere.
  rig.client = "203.0.112.9";
  CHECK(rig.reasons({"<y@acme.example>"}) == Reasons{"greylist-first-seen"});
}

TEST_CASE("servers with names of one organisation are one sender", "[greylist]") {
  Rig rig;
  rig.client_name = "mx1.pool.co.uk";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 200;
  rig.client_name = "mx2.out.pool.co.uk";
  rig.client = "192.0.2.77";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
  rig.sender = "<a@other.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
}

TEST_CASE("a sender whose SPF could not be checked once does not wait twice",
          "[greylist]") {
  Rig rig;
  rig.sender = "<a@sender.example>";
  rig.dns_works = GENERATE(true, false);
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 200;
  rig.dns_works = !rig.dns_works;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
}

TEST_CASE("who asks whether an address exists is not deferred", "[greylist]") {
  Rig rig;
  rig.sender = "<>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"", "greylist-first-seen"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"", "greylist-passed"});
}

TEST_CASE("another MX of the recipient's domain does not wait", "[greylist]") {
  Rig rig;
  rig.client = "203.0.112.77";
  CHECK(rig.reasons({"<x@acme.example>", "<y@acme.example>", "<z@slow.example>"}) ==
        Reasons{"greylist-mail-host", "greylist-follows", "greylist-follows"});
  CHECK(rig.reasons({"<z@slow.example>"}) == Reasons{"greylist-known"});
  rig.sender = "<b@plain.example>";
  CHECK(rig.reasons({"<z@slow.example>"}) == Reasons{"greylist-first-seen"});
}

TEST_CASE("a bounce with an exempt recipient passes", "[greylist]") {
  Rig rig;
  rig.sender = "<>";
  CHECK(rig.reasons({"<x@acme.example>", "<postmaster@acme.example>"}) ==
        Reasons{"", "", ""});
}

TEST_CASE("what another message has in its place of a token is no retry", "[greylist]") {
  Rig rig;
  rig.sender = "<bounce-1234567@plain.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 200;
  rig.sender = "<bounce-7654321@plain.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.sender = "<bounce-1234567@plain.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
  rig.now += 7 * 86'400;
  rig.sender = "<bounce-9999999@plain.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-known"});
}

TEST_CASE("a network without a verified identity has a bounded number that wait",
          "[greylist]") {
  Rig rig;
  for (unsigned i = 0; i < GreylistMilter::kMostOfNetwork; ++i) {
    rig.sender = "<a" + std::to_string(i) + "@plain.example>";
    CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  }
  rig.sender = "<another@plain.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-flood"});
  rig.client_name = "mx.verified.example";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.client_name = "";
  rig.sender = "<yet-another@plain.example>";
  rig.now += 3600;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
}

TEST_CASE("the first greylisted recipient decides for the others", "[greylist]") {
  Rig rig;
  CHECK(rig.reasons({"<p@elsewhere.example>", "<x@acme.example>", "<y@slow.example>"}) ==
        Reasons{"", "greylist-first-seen", "greylist-follows"});
  rig.now += 200;
  SECTION("let through before the delay of their own domain") {
    CHECK(rig.reasons({"<x@acme.example>", "<y@slow.example>", "<z@acme.example>"}) ==
          Reasons{"greylist-passed", "greylist-follows", "greylist-follows"});
    CHECK(rig.reasons({"<z@acme.example>", "<y@slow.example>"}) ==
          Reasons{"greylist-known", "greylist-follows"});
  }
  SECTION("deferred though they have waited long enough") {
    CHECK(rig.reasons({"<y@slow.example>", "<x@acme.example>"}) ==
          Reasons{"greylist-too-early", "greylist-follows"});
    CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
  }
}

TEST_CASE("a recipient in shadow mode neither decides nor follows", "[greylist]") {
  Rig rig;
  CHECK(rig.reasons({"<s@shadow.example>", "<x@acme.example>", "<t@shadow.example>"}) ==
        Reasons{"greylist-shadow", "greylist-first-seen", "greylist-shadow"});
  rig.now += 200;
  CHECK(rig.reasons({"<s@shadow.example>", "<n@acme.example>"}) ==
        Reasons{"", "greylist-first-seen"});
}

TEST_CASE("without a store mail passes", "[greylist]") {
  Rig rig;
  rig.store.use("sqlite:no/such/directory/greylist.db");
  CHECK(rig.reasons({"<x@acme.example>", "<y@acme.example>"}) ==
        Reasons{"greylist-store-fault", "greylist-store-fault"});
}

TEST_CASE("a fault of ours lets mail pass", "[greylist]") {
  Rig rig;
  CHECK(rig.milter->on_fault(Fault("read policy", "x", "y")).action() == Action::proceed);
  const std::unique_ptr<Connection> connection = rig.milter->connect({});
  const Envelope envelope;
  const auto filter = connection->begin(envelope);
  CHECK(filter->on_fault(Fault("read policy", "x", "y")).action() == Action::proceed);
}

TEST_CASE("a store in trouble is left alone for a while", "[greylist]") {
  const TempDirectory directory;
  int ms = 0;
  GuardedStore store(directory.path(),
                     [&] { return Breaker::Instant{std::chrono::milliseconds(ms)}; });
  const auto works = [&] {
    const Identity network{IdentityKind::network, "192.0.2.0/24"};
    return store
        .update(
            keys_of({network, network, "192.0.2.7", {}}, "a@s.example",
                    {"x", "acme.example"}, "acme.example"),
            [](const Look& look) { return decide(look, Time{seconds(1000)}, Terms{}); })
        .has_value();
  };
  store.use("sqlite:there/greylist.db");  // the first fault
  for (unsigned i = 1; i < GuardedStore::kFaults; ++i) CHECK_FALSE(works());
  std::filesystem::create_directory(directory.path() / "there");
  CHECK_FALSE(works());  // not even tried
  CHECK(store.state() == StoreState::resting);
  ms = 5000;
  CHECK(works());
  CHECK(store.state() == StoreState::in_use);
  store.use("memory:");
  CHECK(works());
}

TEST_CASE("mail passes if the session fails", "[greylist]") {
  CHECK(Rig().milter->passes_without_session());
}

}  // namespace
}  // namespace mxfeed::greylist
