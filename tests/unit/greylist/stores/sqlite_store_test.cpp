// SPDX-License-Identifier: GPL-2.0-or-later
//
// What only a store in a file has.

#include "milters/greylist/stores/store.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "common/base/digest.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/base/text.h"
#include "common/store/sqlite.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/greylist/stores/store_rig.h"

namespace mxfeed::greylist {
namespace {

TEST_CASE("a store outlives its process", "[greylist]") {
  const TempDirectory directory;
  const Record record{at(1), at(2), at(3), 1};
  change(*open_store("sqlite:a.db", directory.path()), "k", record);
  CHECK(read(*open_store("sqlite:a.db", directory.path()), "k") == record);
  const auto view = view_store("sqlite:a.db", directory.path());
  CHECK(view->find(keys("k"), kSlot) == record);
  CHECK_FALSE(view->find(keys("l"), kSlot));
  int visited = 0;
  view->each([&](const Key& key, const Record& found) {
    visited += 1;
    CHECK(key.about == About::waiting);
    CHECK(key.digest == keys("k").at(kSlot).digest);
    CHECK(key.identity == Identity{IdentityKind::network, "192.0.2.0/24"});
    CHECK(key.domain == "acme.example");
    CHECK(found == record);
  });
  CHECK(visited == 1);
}

TEST_CASE("what is only noted is in the file before long", "[greylist]") {
  const TempDirectory directory;
  const auto store = open_store("sqlite:a.db", directory.path());
  const auto view = view_store("sqlite:a.db", directory.path());
  const Record record{at(1), at(2), at(3), 1};
  note(*store, "a", record);
  SECTION("by itself") {
    wait_until([&] { return view->find(keys("a"), kSlot) == record; }, "it is written");
  }
  SECTION("with the next decision") {
    change(*store, "b", record);
    CHECK(view->find(keys("a"), kSlot) == record);
  }
  SECTION("at a flush") {
    store->flush(soon());
    CHECK(view->find(keys("a"), kSlot) == record);
  }
}

TEST_CASE("what cannot be written in time is a fault of a flush", "[greylist]") {
  const TempDirectory directory;
  const auto file = directory.path() / "greylist.db";
  const auto store = open_sqlite_store(file);
  Sqlite other(file, Sqlite::Access::read_write, seconds(1));
  other.execute("BEGIN IMMEDIATE");
  const auto in = [](int milliseconds) {
    return std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  };
  store->update(
      keys("a"), [](const Look& look) { return decide(look, at(1000), Terms{}); },
      in(50));
  CHECK_THROWS_AS(store->flush(in(300)), Fault);
  other.execute("ROLLBACK");
  CHECK_NOTHROW(store->flush(soon()));
}

TEST_CASE("who was known to version 1 of the store is known", "[greylist]") {
  const TempDirectory directory;
  {
    Sqlite old(directory.path() / "a.db", Sqlite::Access::read_write,
               std::chrono::milliseconds(100));
    old.execute(R"(
      CREATE TABLE records (key TEXT PRIMARY KEY, first_seen INTEGER NOT NULL,
        last_seen INTEGER NOT NULL, expires INTEGER NOT NULL, passes INTEGER NOT NULL)
        WITHOUT ROWID;
      CREATE INDEX records_by_expiry ON records (expires);
      PRAGMA user_version = 1)");
    // As version 1 made keys: the digest of "11:a@s.example" and so on.
    const std::string mail = digest("11:a@s.example4:info12:acme.example", 16);
    SqliteStatement write(old, "INSERT INTO records VALUES (?, 1, 2, 3000, ?)");
    write.bind(1, "192.0.2.0/24 acme.example " + to_hex(mail)).bind(2, std::int64_t{4});
    write.step();
    write.bind(1, "192.0.2.0/24 acme.example " + to_hex(digest("w", 16)))
        .bind(2, std::int64_t{0});
    write.step();
    write.bind(1, "nonsense").bind(2, std::int64_t{1});
    write.step();
  }
  const auto store = open_store("sqlite:a.db", directory.path());
  std::optional<Record> found;
  store->update(
      keys("a"),
      [&](const Look& look) {
        found = look(Slot::network_passed);
        return Decision{};
      },
      soon());
  CHECK(found == Record{at(1), at(2), at(3000), 4});
  int records = 0;
  view_store("sqlite:a.db", directory.path())->each([&](const Key&, const Record&) {
    ++records;
  });
  CHECK(records == 1);
}

TEST_CASE("a damaged file is put aside and an empty store begun", "[greylist]") {
  const TempDirectory directory;
  const auto file = directory.path() / "a.db";
  Metric& damaged = counter("mxfeed_greylist_store_damaged_total");
  const auto before = damaged.value();

  SECTION("found at the start") {
    std::ofstream(file) << std::string(8192, 'x');
    const auto store = open_store("sqlite:a.db", directory.path());
    CHECK_FALSE(read(*store, "k"));
    write(*store, "k", {at(1), at(1), at(2), 0});
    CHECK(read(*store, "k"));
  }
  SECTION("found while in use") {
    {
      const auto store = open_store("sqlite:a.db", directory.path());
      for (int i = 0; i < 2000; ++i) {
        write(*store, "k" + std::to_string(i), {at(1), at(1), at(1000), 0});
      }
      store->sweep(at(0));  // the log is written back
    }
    const auto size = std::filesystem::file_size(file);
    {
      // The first page, the schema, stays: opening finds nothing wrong.
      std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekp(4096);
      bytes << std::string(size - 4096, 'x');
    }
    const auto store = open_store("sqlite:a.db", directory.path());
    CHECK_THROWS_AS(read(*store, "k1"), DamagedDatabase);
    CHECK_FALSE(read(*store, "k1"));
    write(*store, "k1", {at(1), at(1), at(2), 0});
    CHECK(read(*store, "k1"));
  }
  CHECK(std::filesystem::exists(file.string() + ".damaged"));
  CHECK(damaged.value() == before + 1);
}
TEST_CASE("a store of another version is left alone", "[greylist]") {
  const TempDirectory directory;
  const auto file = directory.path() / "a.db";
  {
    Sqlite database(file, Sqlite::Access::read_write, std::chrono::milliseconds(100));
    database.execute("PRAGMA user_version = 99");
  }
  CHECK_THROWS_WITH(open_store("sqlite:a.db", directory.path()),
                    Catch::Matchers::ContainsSubstring("written by another version"));
  CHECK_FALSE(std::filesystem::exists(file.string() + ".damaged"));
}

}  // namespace
}  // namespace mxfeed::greylist
