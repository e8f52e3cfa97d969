// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/keeper_book.h"

#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Time kNow(seconds(1'700'000'000));

std::vector<PlannedStep> steps_of(const std::vector<std::string>& ids) {
  std::vector<PlannedStep> steps;
  for (const auto& id : ids) {
    PlannedStep step;
    step.step = Step::expire_several;
    step.id = id;
    step.recipients = {"a@acme.example", "b@acme.example"};
    steps.push_back(step);
  }
  return steps;
}

using Ids = std::set<std::string, std::less<>>;

TEST_CASE("what was begun stays open until it is finished", "[postfix-conf]") {
  const TempDirectory directory;
  const auto file = directory.path() / "keeper.db";
  {
    KeeperBook book(file);
    CHECK(book.open().empty());
    book.begin(steps_of({"A", "B", "C"}), kNow);
    book.finish({"B"}, "bounced");
    book.finish({"absent"}, "bounced");
    book.finish({}, "bounced");
    CHECK(book.open() == Ids{"A", "C"});
  }
  KeeperBook book(file);
  CHECK(book.open() == Ids{"A", "C"});
  // The same message may come again.
  book.begin(steps_of({"B"}), kNow);
  CHECK(book.open() == Ids{"A", "B", "C"});
}

TEST_CASE("open entries are kept, closed ones are removed after weeks",
          "[postfix-conf]") {
  const TempDirectory directory;
  KeeperBook book(directory.path() / "keeper.db");
  book.begin(steps_of({"A", "B"}), kNow);
  book.finish({"B"}, "bounced");
  book.prune(kNow + hours(24 * 400));
  CHECK(book.open() == Ids{"A"});
}

TEST_CASE("the mark of the clock is kept", "[postfix-conf]") {
  const TempDirectory directory;
  KeeperBook book(directory.path() / "keeper.db");
  CHECK(book.clock() == std::nullopt);
  ClockMark mark{kNow, seconds(77), "boot", std::nullopt};
  book.set_clock(mark);
  CHECK(book.clock() == mark);
  mark.stepped = seconds(0);
  book.set_clock(mark);
  CHECK(book.clock() == mark);
}

TEST_CASE("what is known of a server is kept", "[postfix-conf]") {
  const TempDirectory directory;
  KeeperBook book(directory.path() / "keeper.db");
  CHECK(book.destinations().empty());
  Destination destination;
  book.set_destination("other.example", destination);
  destination.state = ServerState::flapping;
  destination.passage = Passage::trial;
  destination.failures = 7;
  destination.changes = {kNow, kNow + hours(1)};
  destination.identities = {{"[192.0.2.7]:25", {"aabb", "mail.acme.example"}},
                            {"[192.0.2.8]:25", {"", "mail2.acme.example"}}};
  destination.probed = kNow;
  destination.trial = {"4gT", "4gU"};
  destination.flushing_since = kNow;
  book.set_destination("acme.example", destination);
  const auto all = book.destinations();
  REQUIRE(all.size() == 2);
  CHECK(all.at("acme.example") == destination);
  destination.identities.erase("[192.0.2.7]:25");
  book.set_destination("acme.example", destination);
  CHECK(book.destinations().at("acme.example") == destination);
  CHECK(all.at("other.example") == Destination());
}

TEST_CASE("routes to the provider are kept, also in an earlier version's file",
          "[postfix-conf]") {
  const TempDirectory directory;
  const auto file = directory.path() / "keeper.db";
  { KeeperBook book(file); }
  Sqlite(file, Sqlite::Access::read_write, seconds(5))
      .execute("DROP TABLE provider_route");
  const ProviderRoutes routes = {
      {"postmaster@a.example", {kNow, kNow + hours(1)}},
      {"postmaster@b.example", {kNow + hours(2), kNow + hours(3)}}};
  {
    KeeperBook book(file);
    CHECK(book.provider_routes().empty());
    book.set_provider_routes({{"postmaster@gone.example", {kNow, kNow}}});
    book.set_provider_routes(routes);
  }
  CHECK(KeeperBook(file).provider_routes() == routes);
}

TEST_CASE("one alert of a kind and subject is sent in an interval", "[postfix-conf]") {
  const TempDirectory directory;
  KeeperBook book(directory.path() / "keeper.db");
  CHECK(book.may_send("down", "a.example", kNow, hours(1)));
  CHECK_FALSE(book.may_send("down", "a.example", kNow + seconds(3599), hours(1)));
  CHECK(book.may_send("up", "a.example", kNow, hours(1)));
  CHECK(book.may_send("down", "b.example", kNow, hours(1)));
  CHECK(book.may_send("down", "a.example", kNow + hours(1), hours(1)));
  // The clock was set back.
  CHECK(book.may_send("down", "a.example", kNow - hours(99), hours(1)));
  book.prune(kNow + hours(24 * 400));
  CHECK(book.may_send("down", "b.example", kNow, hours(1)));
}

}  // namespace
}  // namespace mxfeed
