// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/quarantine/store.h"

#include <algorithm>
#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::quarantine {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;

const Time kNow{std::chrono::seconds(1'800'000'000)};

std::string token_of(int number) {
  std::string token(32, '0');
  const auto digits = std::to_string(number);
  return token.substr(digits.size()) + digits;
}

std::function<Store::Limits(const std::string&)> for_all(std::chrono::seconds keep,
                                                         std::uint64_t quota) {
  return [=](const std::string&) { return Store::Limits{keep, quota}; };
}

struct Rig {
  TempDirectory directory;
  Store store{directory.path(), Sqlite::Access::read_write};

  HeldAddress address(int token, const std::string& recipient = "info@acme.example",
                      const std::string& domain = "acme.example") {
    return {HeldKind::virus, token_of(token), domain, "Eicar", recipient};
  }
  std::size_t keep(std::vector<HeldAddress> held, Time now = kNow,
                   const std::string& text = "x\r\n") {
    auto content = store.new_content();
    content->add(text);
    return store.keep({"anna@sender.example", true, false, std::move(held)},
                      std::move(content), now);
  }
  std::vector<Item> items(const std::string& domain = "acme.example") {
    std::vector<Item> all;
    store.each(domain, [&](const Item& item) { all.push_back(item); });
    return all;
  }
  std::string standings() {
    std::string text;
    for (const auto& item : items("")) {
      text +=
          std::string(text.empty() ? "" : " ") + std::string(to_string(item.standing));
    }
    return text;
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(
        fs::directory_iterator(directory.path() / "messages"), fs::directory_iterator()));
  }
};

TEST_CASE("what is kept is there for another process, with its content", "[quarantine]") {
  Rig rig;
  CHECK(rig.keep({rig.address(1), rig.address(1, "sales@acme.example")}) == 2);
  const Store other(rig.directory.path(), Sqlite::Access::read_only);
  std::vector<Item> items;
  other.each("acme.example", [&](const Item& item) { items.push_back(item); });
  REQUIRE(items.size() == 2);
  CHECK(items[0].address == rig.address(1));
  CHECK(items[1].address.recipient == "sales@acme.example");
  CHECK(items[0].sender == "anna@sender.example");
  CHECK(items[0].eight_bit);
  CHECK_FALSE(items[0].smtputf8);
  CHECK(items[0].size == 3);
  CHECK(items[0].arrived == kNow);
  CHECK(items[0].standing == Standing::held);
  CHECK(read_file(other.content_of(items[0])) == "x\r\n");
  CHECK(rig.items("other.example").empty());
}

TEST_CASE("content that is not kept leaves no file", "[quarantine]") {
  Rig rig;
  { rig.store.new_content()->add("x"); }
  CHECK(rig.files() == 0);
}

TEST_CASE("what Postfix delivers again is not held again, whatever became of it",
          "[quarantine]") {
  Rig rig;
  rig.keep({rig.address(1)});
  CHECK(rig.keep({rig.address(1)}) == 0);
  CHECK(rig.files() == 1);
  SECTION("another recipient is new") {
    CHECK(rig.keep({rig.address(1), rig.address(1, "sales@acme.example")}) == 1);
    CHECK(rig.files() == 2);
  }
  SECTION("deleted") {
    CHECK(rig.store.remove(1, Standing::deleted, kNow));
    CHECK(rig.keep({rig.address(1)}) == 0);
    CHECK(rig.standings() == "deleted");
    CHECK(rig.files() == 0);
  }
  SECTION("held, but its file is lost") {
    fs::remove(rig.store.content_of(rig.items()[0]));
    CHECK(rig.keep({rig.address(1)}, kNow, "again") == 1);
    CHECK(read_file(rig.store.content_of(rig.items()[0])) == "again");
    CHECK(rig.items().size() == 1);
  }
}

TEST_CASE("a file stays until no recipient has it any more", "[quarantine]") {
  Rig rig;
  rig.keep({rig.address(1), rig.address(1, "sales@acme.example")});
  CHECK(rig.store.remove(1, Standing::deleted, kNow));
  CHECK(rig.files() == 1);
  CHECK_FALSE(rig.store.remove(1, Standing::deleted, kNow));
  CHECK(rig.store.remove(2, Standing::deleted, kNow));
  CHECK(rig.files() == 0);
}

TEST_CASE("a release goes from held to releasing to released, each once",
          "[quarantine]") {
  Rig rig;
  rig.keep({rig.address(1)});
  CHECK(rig.store.begin_release(1, "r1", kNow));
  CHECK_FALSE(rig.store.begin_release(1, "r2", kNow));
  CHECK_FALSE(rig.store.remove(1, Standing::deleted, kNow));
  CHECK(rig.store.unfinished().size() == 1);
  SECTION("Postfix's answer ends it") {
    rig.store.finish_release(1, "4Q", kNow + hours(1));
    CHECK(rig.items()[0].queue_id == "4Q");
    CHECK(rig.items()[0].since == kNow + hours(1));
  }
  SECTION("the receipt ends it, and the answer adds the id") {
    rig.store.note_receipt("r1", kNow);
    CHECK(rig.standings() == "released");
    rig.store.finish_release(1, "4Q", kNow);
    CHECK(rig.items()[0].queue_id == "4Q");
  }
  SECTION("begun again, only the new receipt counts") {
    Item item = rig.store.unfinished()[0];
    CHECK(rig.store.renew_release(item, "r2", kNow));
    CHECK_FALSE(rig.store.renew_release(item, "r3", kNow));
    rig.store.note_receipt("r1", kNow);
    CHECK(rig.standings() == "releasing");
    rig.store.note_receipt("r2", kNow);
  }
  CHECK(rig.standings() == "released");
  CHECK(rig.files() == 0);
  CHECK_FALSE(rig.store.begin_release(1, "r4", kNow));
  rig.store.undo_release(1, kNow);
  CHECK(rig.standings() == "released");
}

TEST_CASE("what Postfix refuses is held again", "[quarantine]") {
  Rig rig;
  rig.keep({rig.address(1)});
  rig.store.begin_release(1, "r1", kNow);
  rig.store.undo_release(1, kNow);
  CHECK(rig.standings() == "held");
  rig.store.note_receipt("r1", kNow);
  CHECK(rig.standings() == "held");
  CHECK(rig.store.begin_release(1, "r2", kNow));
}

TEST_CASE("what is held for too long expires, what is being released does not",
          "[quarantine]") {
  Rig rig;
  rig.keep({rig.address(1)}, kNow);
  rig.keep({rig.address(2)}, kNow);
  rig.keep({rig.address(3)}, kNow + hours(1));
  rig.store.begin_release(2, "r", kNow);
  CHECK_FALSE(rig.store.expire(for_all(hours(24), 0), kNow + hours(24) - hours(1)));
  CHECK(rig.standings() == "held releasing held");
  rig.store.expire(for_all(hours(24), 0), kNow + hours(24));
  CHECK(rig.standings() == "expired releasing held");
  CHECK(rig.files() == 2);
}

TEST_CASE("of a domain with more than its quota the oldest go", "[quarantine]") {
  Rig rig;
  const std::string text(100, 'x');
  for (int i = 1; i <= 4; ++i) rig.keep({rig.address(i)}, kNow + hours(i), text);
  rig.keep({rig.address(5, "a@other.example", "other.example")}, kNow, text);
  rig.store.expire(for_all(hours(1000), 400), kNow + hours(5));
  CHECK(rig.standings() == "held held held held held");
  rig.store.expire(for_all(hours(1000), 399), kNow + hours(5));
  CHECK(rig.standings() == "held displaced held held held");
  rig.store.expire(for_all(hours(1000), 100), kNow + hours(5));
  CHECK(rig.standings() == "held displaced displaced displaced held");
}

TEST_CASE("lessons are found by their kind, the oldest first", "[quarantine]") {
  Rig rig;
  const auto of_kind = [&](HeldKind kind, int token) {
    HeldAddress address = rig.address(token);
    address.kind = kind;
    return address;
  };
  rig.keep({of_kind(HeldKind::trap, 1)}, kNow + hours(1));
  rig.keep({of_kind(HeldKind::virus, 2)});
  rig.keep({of_kind(HeldKind::report_spam, 3)});
  rig.keep({of_kind(HeldKind::report_ham, 4)});
  const auto lessons = rig.store.lessons(10);
  REQUIRE(lessons.size() == 3);
  CHECK(lessons[0].address.kind == HeldKind::report_spam);
  CHECK(lessons[1].address.kind == HeldKind::report_ham);
  CHECK(lessons[2].address.kind == HeldKind::trap);
  CHECK(rig.store.lessons(2).size() == 2);
  REQUIRE(rig.store.lessons(2, 2).size() == 1);
  CHECK(rig.store.lessons(2, 2)[0].id == lessons[2].id);
  CHECK(rig.store.lessons(2, 3).empty());
  CHECK(rig.store.remove(lessons[0].id, Standing::learned, kNow));
  CHECK(rig.store.lessons(10).size() == 2);
  CHECK(rig.standings() == "held learned held held");
}

TEST_CASE("lessons have no part in the quota, but expire", "[quarantine]") {
  Rig rig;
  HeldAddress trap = rig.address(1);
  trap.kind = HeldKind::trap;
  rig.keep({trap}, kNow, std::string(1000, 'x'));
  rig.keep({rig.address(2)}, kNow + hours(1), std::string(100, 'x'));
  CHECK_FALSE(rig.store.expire(for_all(hours(24), 100), kNow + hours(2)));
  CHECK(rig.standings() == "held held");
  rig.keep({rig.address(3)}, kNow + hours(2), "x");
  rig.store.expire(for_all(hours(24), 100), kNow + hours(2));
  CHECK(rig.standings() == "held displaced held");
  rig.store.expire(for_all(hours(24), 100), kNow + hours(24));
  CHECK(rig.standings() == "expired displaced held");
}

TEST_CASE("each domain has limits of its own", "[quarantine]") {
  Rig rig;
  const std::string text(100, 'x');
  for (int i = 1; i <= 2; ++i) rig.keep({rig.address(i)}, kNow + hours(i), text);
  for (int i = 3; i <= 4; ++i) {
    rig.keep({rig.address(i, "a@other.example", "other.example")}, kNow + hours(i), text);
  }
  rig.store.expire(
      [](const std::string& domain) -> Store::Limits {
        if (domain == "other.example") return {hours(1000), 100};
        return {hours(24), 0};
      },
      kNow + hours(25));
  CHECK(rig.standings() == "expired held displaced held");
}

TEST_CASE("what has ended is forgotten after Postfix has given up", "[quarantine]") {
  Rig rig;
  rig.keep({rig.address(1)}, kNow);
  rig.keep({rig.address(2)}, kNow);
  rig.store.remove(1, Standing::deleted, kNow);
  rig.store.expire(for_all(hours(24 * 365), 0), kNow + hours(24 * 101));
  CHECK(rig.standings() == "deleted held");
  rig.store.expire(for_all(hours(24 * 365), 0), kNow + hours(24 * 111));
  CHECK(rig.standings() == "held");
}

TEST_CASE("files of nothing that is held are removed, but not what comes in",
          "[quarantine]") {
  Rig rig;
  rig.keep({rig.address(1)});
  const auto messages = rig.directory.path() / "messages";
  std::ofstream(messages / std::string(32, 'a')) << "left over";
  std::ofstream(messages / "notes") << "somebody else's";
  const Time now = system_time();
  CHECK(rig.store.remove_leftovers(now) == 0);
  CHECK(rig.store.remove_leftovers(now + hours(2)) == 1);
  CHECK(rig.files() == 2);
  CHECK(fs::exists(rig.store.content_of(rig.items()[0])));
}

}  // namespace
}  // namespace mxfeed::quarantine
