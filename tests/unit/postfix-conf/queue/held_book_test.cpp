// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/held_book.h"

#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using Outcome = HeldBook::Outcome;

constexpr Time kNow(seconds(1'700'000'000));
constexpr hours kYear(24 * 400);

std::vector<PlannedStep> steps_of(const std::vector<std::string>& ids) {
  std::vector<PlannedStep> steps;
  for (const auto& id : ids) {
    PlannedStep step;
    step.id = id;
    step.recipients = {"a@acme.example", "b@acme.example"};
    steps.push_back(step);
  }
  return steps;
}

// The ids, each with what was done to it.
std::map<std::string, Touch> touched(const HeldBook& book) {
  std::map<std::string, Touch> all;
  for (const auto& [id, record] : book.records()) all.emplace(id, record.touch);
  return all;
}

using Touched = std::map<std::string, Touch>;

TEST_CASE("what is held is known until it has ended", "[postfix-conf]") {
  const TempDirectory directory;
  const auto file = directory.path() / "held.db";
  {
    HeldBook book(file, Sqlite::Access::read_write);
    CHECK(book.records().empty());
    book.begin(steps_of({"A", "B", "C", "D", "E"}), kNow);
    CHECK(book.records().at("A").touch == Touch::holding);
    book.finish({"A", "B", "D", "E"}, Outcome::held, kNow + seconds(9));
    book.finish({"B"}, Outcome::released, kNow + seconds(10));
    book.finish({"C"}, Outcome::not_held, kNow + seconds(10));
    book.finish({"D"}, Outcome::discarded, kNow + seconds(10));
    book.finish({"E"}, Outcome::gone, kNow + seconds(10));
    book.finish({"absent"}, Outcome::held, kNow);
    book.finish({}, Outcome::held, kNow);
  }
  const HeldBook book(file, Sqlite::Access::read_only);
  CHECK(touched(book) == Touched{{"A", Touch::held}, {"B", Touch::released}});
  CHECK(book.records().at("A").since == kNow + seconds(9));
  CHECK(book.records().at("B").since == kNow + seconds(10));
}

TEST_CASE("a message that is about to be deleted is held until it is", "[postfix-conf]") {
  const TempDirectory directory;
  HeldBook book(directory.path() / "held.db", Sqlite::Access::read_write);
  book.begin(steps_of({"A", "B"}), kNow);
  book.finish({"A", "B"}, Outcome::held, kNow);
  book.begin_discard({"A"});
  CHECK(book.records().at("A").touch == Touch::held);
  CHECK(book.records().at("A").is_discarding);
  CHECK_FALSE(book.records().at("B").is_discarding);
  // It was released, and is held again.
  book.begin(steps_of({"A"}), kNow);
  CHECK_FALSE(book.records().at("A").is_discarding);
}

TEST_CASE("what is on hold is kept, what has ended is removed after weeks",
          "[postfix-conf]") {
  const TempDirectory directory;
  HeldBook book(directory.path() / "held.db", Sqlite::Access::read_write);
  book.begin(steps_of({"A", "B", "C"}), kNow);
  book.finish({"A"}, Outcome::held, kNow);
  book.finish({"B"}, Outcome::released, kNow);
  book.set_verified("A", true, kNow);
  book.set_spared("acme.example", kNow);
  book.prune(kNow + hours(24));
  CHECK(touched(book).size() == 3);
  CHECK(book.is_verified("A") == true);
  book.prune(kNow + kYear);
  CHECK(touched(book) == Touched{{"A", Touch::held}, {"C", Touch::holding}});
  CHECK(book.is_verified("A") == std::nullopt);
  CHECK(book.spared("acme.example") == std::nullopt);
}

TEST_CASE("senders and spared domains are remembered", "[postfix-conf]") {
  const TempDirectory directory;
  HeldBook book(directory.path() / "held.db", Sqlite::Access::read_write);
  CHECK(book.is_verified("A") == std::nullopt);
  book.set_verified("A", true, kNow);
  book.set_verified("B", false, kNow);
  CHECK(book.is_verified("A") == true);
  CHECK(book.is_verified("B") == false);
  CHECK(book.spared("acme.example") == std::nullopt);
  book.set_spared("acme.example", kNow);
  book.set_spared("acme.example", kNow + seconds(60));
  CHECK(book.spared("acme.example") == kNow + seconds(60));
}

}  // namespace
}  // namespace mxfeed
