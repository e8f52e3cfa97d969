// SPDX-License-Identifier: GPL-2.0-or-later
//
// The contract that every store keeps, and what only a file has.

#include "milters/greylist/stores/store.h"

#include <atomic>
#include <fstream>
#include <thread>

#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/store/sqlite.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

constexpr Time at(std::int64_t s) {
  return Time{seconds{s}};
}

Decision update(Store& store, const std::string& key, const Store::Step& step) {
  return store.update({&key, 1}, step).front();
}

std::optional<Record> read(Store& store, const std::string& key) {
  std::optional<Record> found;
  update(store, key, [&](const std::optional<Record>& seen) {
    found = seen;
    return Decision{Outcome::known, seconds(0), std::nullopt};
  });
  return found;
}

void write(Store& store, const std::string& key, const Record& record) {
  update(store, key, [&](const std::optional<Record>&) {
    return Decision{Outcome::first_seen, seconds(0), record};
  });
}

TEST_CASE("every store keeps the contract", "[greylist]") {
  const TempDirectory directory;
  const std::string url = GENERATE("memory:", "sqlite:greylist.db");
  const auto store = open_store(url, directory.path());
  INFO(url);

  SECTION("what was written is read, and only that") {
    const Record record{at(-5), at(10), at(4'000'000'000), 4'294'967'295u};
    CHECK_FALSE(read(*store, "a"));
    write(*store, "a", record);
    CHECK(read(*store, "a") == record);
    CHECK_FALSE(read(*store, "A"));
    const Record other{at(1), at(2), at(3), 0};
    write(*store, "a", other);
    CHECK(read(*store, "a") == other);
  }

  SECTION("keys are read together, in their order") {
    write(*store, "b", {at(1), at(1), at(9), 0});
    const std::vector<std::string> keys = {"a", "b", "c"};
    std::vector<bool> seen;
    const auto decisions = store->update(keys, [&](const std::optional<Record>& record) {
      seen.push_back(record.has_value());
      return Decision{record ? Outcome::known : Outcome::passed, seconds(0),
                      std::nullopt};
    });
    CHECK(seen == std::vector<bool>{false, true, false});
    REQUIRE(decisions.size() == 3);
    CHECK(decisions[1].outcome == Outcome::known);
    CHECK(decisions[2].outcome == Outcome::passed);
  }

  SECTION("a sweep removes what has expired") {
    for (int i = 0; i < 20; ++i) {
      write(*store, "k" + std::to_string(i), {at(0), at(0), at(i), 0});
    }
    CHECK(store->sweep(at(0)) == 0);
    CHECK(store->sweep(at(10)) == 10);
    CHECK_FALSE(read(*store, "k9"));
    CHECK(read(*store, "k10"));
    CHECK(store->sweep(at(10)) == 0);
  }

  SECTION("of racing first tries one begins the record, the others come too early") {
    constexpr int kThreads = 8, kRounds = 25;
    std::atomic<int> first{0}, early{0}, faults{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < kRounds; ++round) {
          try {
            const Decision got = update(*store, "k" + std::to_string(round),
                                        [](const std::optional<Record>& seen) {
                                          return decide(seen, at(1000), GreylistPolicy{});
                                        });
            (got.outcome == Outcome::first_seen ? first : early) += 1;
          } catch (const Fault&) {
            faults += 1;  // waited for longer than a decision may
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(first == kRounds);
    CHECK(early + faults == (kThreads - 1) * kRounds);
    CHECK(read(*store, "k0") == Record{at(1000), at(1000), at(87'400), 0});
  }
}

TEST_CASE("an unknown kind of store is a fault", "[greylist]") {
  CHECK_THROWS_AS(open_store("mysql://x", "/tmp"), Fault);
  CHECK_THROWS_AS(open_store("", "/tmp"), Fault);
  CHECK_THROWS_AS(view_store("memory:", "/tmp"), Fault);
}

TEST_CASE("a store outlives its process", "[greylist]") {
  const TempDirectory directory;
  const Record record{at(1), at(2), at(3), 1};
  write(*open_store("sqlite:a.db", directory.path()), "k", record);
  CHECK(read(*open_store("sqlite:a.db", directory.path()), "k") == record);
  const auto view = view_store("sqlite:a.db", directory.path());
  CHECK(view->find("k") == record);
  CHECK_FALSE(view->find("l"));
  int visited = 0;
  view->each([&](const std::string& key, const Record& found) {
    visited += 1;
    CHECK(key == "k");
    CHECK(found == record);
  });
  CHECK(visited == 1);
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
