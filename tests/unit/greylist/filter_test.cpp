// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/filter.h"

#include "common/milter/session.h"
#include "common/policy/constdb.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

// A milter on a memory store with a clock that a test sets.
struct Rig {
  Rig() {
    const auto generation = directory.path() / "generations" / "1";
    std::filesystem::create_directories(generation);
    ConstDbWriter writer(generation / "policy.cdb");
    GatewayPolicy gateway;
    gateway.generation = 1;
    gateway.trusted_networks = {*Network::parse("203.0.113.0/24")};
    writer.add(PolicyDb::kGatewayKey, encode(gateway));
    writer.add(PolicyDb::kForeignKey, encode(DomainPolicy{}));
    for (const char* name : {"acme.example", "slow.example", "shadow.example"}) {
      DomainPolicy domain;
      domain.name = name;
      domain.greylist.shadow = domain.name == "shadow.example";
      if (domain.name == "slow.example") domain.greylist.delay = seconds(600);
      writer.add(name, encode(domain));
    }
    writer.commit();
    std::filesystem::create_symlink("generations/1", directory.path() / "current");
    live = std::make_unique<LivePolicy>(directory.path());
    milter = std::make_unique<GreylistMilter>(*live, store,
                                              [this] { return Time{seconds(now)}; });
    store.use("memory:");
  }

  // One transaction from 198.51.100.7; the reason of each recipient's verdict.
  std::vector<std::string> reasons(std::initializer_list<const char*> recipients) {
    Session session(*milter, "greylist");
    session.connect({IpAddress::parse("198.51.100.7"), ""});
    session.mail("<a@sender.example>");
    std::vector<std::string> found;
    for (const char* recipient : recipients) {
      found.emplace_back(session.recipient(recipient).reason());
    }
    return found;
  }

  TempDirectory directory;
  std::unique_ptr<LivePolicy> live;
  GuardedStore store{directory.path()};
  std::int64_t now = 1'000'000;
  std::unique_ptr<GreylistMilter> milter;
};

using Reasons = std::vector<std::string>;

TEST_CASE("a sender waits for the delay of the domain", "[greylist]") {
  Rig rig;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 179;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-too-early"});
  rig.now += 1;
  CHECK(rig.reasons({"<X@ACME.example>"}) == Reasons{"greylist-passed"});
  rig.now += 86'400 * 30;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{""});
}

TEST_CASE("the first greylisted recipient decides for the others", "[greylist]") {
  Rig rig;
  CHECK(rig.reasons({"<p@elsewhere.example>", "<x@acme.example>", "<y@slow.example>"}) ==
        Reasons{"", "greylist-first-seen", "greylist-follows"});
  rig.now += 200;
  SECTION("let through before the delay of their own domain") {
    CHECK(rig.reasons({"<x@acme.example>", "<y@slow.example>", "<z@acme.example>"}) ==
          Reasons{"greylist-passed", "greylist-follows", "greylist-follows"});
    CHECK(rig.reasons({"<z@acme.example>", "<y@slow.example>"}) == Reasons{"", ""});
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
    return store
        .update("k",
                [](const std::optional<Record>& seen) {
                  return decide(seen, Time{seconds(1000)}, GreylistPolicy{});
                })
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
