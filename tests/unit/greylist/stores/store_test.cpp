// SPDX-License-Identifier: GPL-2.0-or-later
//
// The contract that every store keeps, and what only a file has.

#include "milters/greylist/stores/store.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <fstream>
#include <thread>

#include "common/base/digest.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/base/text.h"
#include "common/store/sqlite.h"
#include "milters/greylist/stores/redis.h"
#include "milters/greylist/stores/shared_store.h"
#include "tests/support/catch.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

constexpr Time at(std::int64_t s) {
  return Time{seconds{s}};
}

Deadline soon() {
  return std::chrono::steady_clock::now() + seconds(5);
}

// The keys of a sender in a network of its own.
Keys keys(const std::string& name) {
  const Identity network{IdentityKind::network, "192.0.2.0/24"};
  return keys_of({network, network, "192.0.2.7", {}}, name + "@s.example",
                 {"info", "acme.example"}, "acme.example");
}
constexpr Slot kSlot = Slot::network_waiting;

std::optional<Record> read(Store& store, const std::string& name) {
  std::optional<Record> found;
  store.update(
      keys(name),
      [&](const Look& look) {
        found = look(kSlot);
        return Decision{};
      },
      soon());
  return found;
}

void change(Store& store, const std::string& name, std::optional<Record> record) {
  store.update(
      keys(name),
      [&](const Look&) {
        return Decision{Outcome::first_seen, {}, {}, {{kSlot, record}}};
      },
      soon());
}

void note(Store& store, const std::string& name, std::optional<Record> record) {
  store.note(keys(name), {Outcome::first_seen, {}, {}, {{kSlot, record}}}, soon());
}

void write(Store& store, const std::string& name, const Record& record) {
  change(store, name, record);
  store.flush(soon());
}

Decision decide_at(Store& store, int s) {
  return store.update(
      keys("a"), [&](const Look& look) { return decide(look, at(s), Terms{}); }, soon());
}

RedisOptions options_of(const RedisServer& server) {
  RedisOptions options;
  options.servers = {server.address()};
  return options;
}

TEST_CASE("every store keeps the contract", "[greylist]") {
  const TempDirectory directory;
  const std::string url = GENERATE("memory:", "sqlite:greylist.db", "redis");
  INFO(url);
  std::unique_ptr<RedisServer> server;
  std::unique_ptr<Store> store;
  if (url == "redis") {
    if (!has_redis()) return;
    server.reset(new RedisServer(RedisServer::on_socket()));
    // Long ago, so that no record expires.
    store = open_redis_store(options_of(*server), "test", [] { return at(-1'000'000); });
  } else {
    store = open_store(url, directory.path());
  }

  SECTION("what was written is read, and only that") {
    const Record record{at(-5), at(10), at(4'000'000'000), 4'294'967'295u};
    CHECK_FALSE(read(*store, "a"));
    change(*store, "a", record);
    CHECK(read(*store, "a") == record);
    store->flush(soon());
    CHECK(read(*store, "a") == record);
    CHECK_FALSE(read(*store, "b"));
    const Record other{at(1), at(2), at(3), 0};
    write(*store, "a", other);
    CHECK(read(*store, "a") == other);
    change(*store, "a", std::nullopt);
    CHECK_FALSE(read(*store, "a"));
    store->flush(soon());
    CHECK_FALSE(read(*store, "a"));
  }

  SECTION("what is only noted is read at once") {
    const Record record{at(1), at(2), at(300), 1};
    note(*store, "a", record);
    CHECK(read(*store, "a") == record);
    store->flush(soon());
    CHECK(read(*store, "a") == record);
    note(*store, "a", std::nullopt);
    CHECK_FALSE(read(*store, "a"));
  }

  SECTION("each slot has a record of its own") {
    const Identities who{{IdentityKind::domain, "s.example"},
                         {IdentityKind::network, "192.0.2.0/24"},
                         "192.0.2.7",
                         "isp.example"};
    const Keys all =
        keys_of(who, "a@s.example", {"info", "acme.example"}, "acme.example");
    const auto record_of = [](std::size_t i) {
      return Record{at(1), at(2), at(static_cast<std::int64_t>(100 + i)), 0};
    };
    store->update(
        all,
        [&](const Look&) {
          Decision decision;
          for (std::size_t i = 0; i < kSlots; ++i) {
            decision.changes.push_back({static_cast<Slot>(i), record_of(i)});
          }
          return decision;
        },
        soon());
    store->flush(soon());
    store->update(
        all,
        [&](const Look& look) {
          for (std::size_t i = 0; i < kSlots; ++i) {
            CHECK(look(static_cast<Slot>(i)) == record_of(i));
          }
          return Decision{};
        },
        soon());
  }

  SECTION("a sweep removes what has expired") {
    if (url == "redis") return;  // which does it by itself
    for (int i = 0; i < 20; ++i) {
      write(*store, "k" + std::to_string(i), {at(0), at(0), at(i), 0});
    }
    CHECK(store->sweep(at(0)).records == 0);
    const Swept swept = store->sweep(at(10));
    CHECK(swept.records == 10);
    CHECK(swept.abandoned == std::array<std::size_t, 3>{0, 0, 10});
    CHECK_FALSE(read(*store, "k9"));
    CHECK(read(*store, "k10"));
    CHECK(store->sweep(at(10)).records == 0);
  }

  SECTION("of racing first tries one begins the record, the others come too early") {
    constexpr int kThreads = 8, kRounds = 25;
    std::atomic<int> first{0}, early{0}, faults{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < kRounds; ++round) {
          try {
            const Decision got = store->update(
                keys("k" + std::to_string(round)),
                [](const Look& look) { return decide(look, at(1000), Terms{}); }, soon());
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

TEST_CASE("two hosts that share Redis know the same senders", "[greylist]") {
  if (!has_redis()) return;
  const RedisServer server = RedisServer::on_socket();
  const auto open = [&] {
    return open_redis_store(options_of(server), "test", [] { return at(1000); });
  };
  const auto one = open();
  const auto other = open();
  CHECK(decide_at(*one, 1000).outcome == Outcome::first_seen);
  CHECK(decide_at(*other, 1001).outcome == Outcome::too_early);
  CHECK(decide_at(*other, 1180).outcome == Outcome::passed);
  CHECK(decide_at(*one, 1181).outcome == Outcome::known);
}

TEST_CASE("a decision takes one command, and one more to change something",
          "[greylist]") {
  if (!has_redis()) return;
  const RedisServer server = RedisServer::on_socket();
  const auto store =
      open_redis_store(options_of(server), "test", [] { return at(1000); });
  // A host of a provider, so that all eight records are used.
  const Keys all = keys_of({{IdentityKind::domain, "s.example"},
                            {IdentityKind::network, "192.0.2.0/24"},
                            "192.0.2.7",
                            "provider.example"},
                           "a@s.example", {"info", "acme.example"}, "acme.example");
  Terms terms;
  terms.is_verified = terms.has_provider = true;
  const auto calls = [&](std::string_view command) {
    const auto statistics = server.ask({"INFO", "commandstats"}).text();
    const auto at_ = statistics.find(fmt::format("cmdstat_{}:calls=", command));
    if (at_ == std::string::npos) return 0ul;
    const auto digits = statistics.find('=', at_) + 1;
    return std::stoul(statistics.substr(digits));
  };
  struct Row {
    int when;
    Outcome outcome;
    unsigned scripts;
  };
  for (const Row& row : {Row{1000, Outcome::first_seen, 1},
                         {1001, Outcome::too_early, 0},
                         {1180, Outcome::passed, 1},
                         {1181, Outcome::known_identity, 0},
                         {90'000, Outcome::known_identity, 1}}) {
    CAPTURE(row.when);
    server.ask({"CONFIG", "RESETSTAT"});
    const auto decision = store->update(
        all, [&](const Look& look) { return decide(look, at(row.when), terms); }, soon());
    CHECK(decision.outcome == row.outcome);
    const auto scripts = calls("evalsha");
    CHECK(scripts == row.scripts);
    // The script reads, too.
    CHECK(calls("mget") == 1 + scripts);
    CHECK(calls("get") == 0);
  }
}

TEST_CASE("a user of Redis with the rights of the manual is enough", "[greylist]") {
  if (!has_redis()) return;
  const TempDirectory directory;
  std::ofstream(directory.path() / "password") << "secret";
  const RedisServer server = RedisServer::on_socket(
      {"user default on >other ~* +@all",
       "user mxfeed on >secret ~test:* -@all +mget +get +set +del +scan +evalsha +eval "
       "+script|load"});
  RedisOptions options = options_of(server);
  options.login = {"mxfeed", directory.path() / "password"};
  const auto store = open_redis_store(options, "test", [] { return at(1000); });
  CHECK(decide_at(*store, 1000).outcome == Outcome::first_seen);
  CHECK(decide_at(*store, 1180).outcome == Outcome::passed);
  CHECK(decide_at(*store, 1181).outcome == Outcome::known);
  int listed = 0;
  view_redis_store(options, "test")->each([&](const Key&, const Record&) { ++listed; });
  CHECK(listed > 0);
}

TEST_CASE("what another host has written meanwhile decides", "[greylist]") {
  if (!has_redis()) return;
  const RedisServer server = RedisServer::on_socket();
  const auto open = [&] {
    return open_redis_store(options_of(server), "test", [] { return at(1000); });
  };
  const auto one = open();
  const auto other = open();
  int runs = 0;
  const Decision got = one->update(
      keys("a"),
      [&](const Look& look) {
        Decision decision = decide(look, at(1000), Terms{});
        if (++runs == 1) change(*other, "a", Record{at(900), at(900), at(90'000), 0});
        return decision;
      },
      soon());
  CHECK(runs == 2);
  CHECK(got.outcome == Outcome::too_early);
  CHECK(got.wait == seconds(80));
  CHECK(read(*one, "a") == Record{at(900), at(900), at(90'000), 0});
}

TEST_CASE("a damaged value in Redis counts as none", "[greylist]") {
  if (!has_redis()) return;
  const RedisServer server = RedisServer::on_socket();
  const RedisOptions options = options_of(server);
  const auto store = open_redis_store(options, "test", [] { return at(1000); });
  write(*store, "a", {at(900), at(900), at(90'000), 0});
  Redis redis(options);
  const std::string_view list[] = {"KEYS", "test:greylist:*"};
  const auto names = redis.run("", list, soon()).list();
  REQUIRE(names.size() == 1);
  for (const char* value : {"x", "1 3 2 0 9 9 9 0\nonly one", "2 3 2 0 9 9 9 0\na\nb",
                            "1 3 7 0 9 9 9 0\na\nb", "1 3 2 0 9 9 9 x\na\nb"}) {
    const std::string_view set[] = {"SET", names[0].text(), value};
    redis.run(names[0].text(), set, soon());
    CHECK_FALSE(read(*store, "a"));
  }
}

// Fails at once.
class BrokenStore : public Store {
 public:
  Decision update(const Keys&, const Step&, Deadline) override {
    throw Fault("use greylist store", "broken", "always");
  }
  Swept sweep(Time) override { return {}; }
};

class CountingStore : public Store {
 public:
  Decision update(const Keys& keys, const Step& step, Deadline deadline) override {
    ++updates_;
    return store_->update(keys, step, deadline);
  }
  Swept sweep(Time now) override { return store_->sweep(now); }
  int updates() const { return updates_; }

 private:
  const std::unique_ptr<Store> store_ = open_memory_store();
  int updates_ = 0;
};

TEST_CASE("of a shared and an own store one that works is enough", "[greylist]") {
  const bool is_shared_broken = GENERATE(true, false);
  auto broken = std::make_unique<BrokenStore>();
  const auto store = is_shared_broken
                         ? share_store(std::move(broken), open_memory_store())
                         : share_store(open_memory_store(), std::move(broken));
  Metric& faults = counter("mxfeed_greylist_redis_faults_total");
  const auto before = faults.value();
  CHECK(decide_at(*store, 1000).outcome == Outcome::first_seen);
  CHECK(decide_at(*store, 1180).outcome == Outcome::passed);
  // Trouble of the own store is not taken for that of the shared one.
  CHECK((faults.value() > before) == is_shared_broken);
}

TEST_CASE("who is known to the own store is not looked up in the shared one",
          "[greylist]") {
  auto shared = std::make_unique<CountingStore>();
  const CountingStore& asked = *shared;
  const auto store = share_store(std::move(shared), open_memory_store());
  CHECK(decide_at(*store, 1000).outcome == Outcome::first_seen);
  CHECK(decide_at(*store, 1100).outcome == Outcome::too_early);
  CHECK(decide_at(*store, 1180).outcome == Outcome::passed);
  CHECK(asked.updates() == 3);
  CHECK(decide_at(*store, 1181).outcome == Outcome::known);
  CHECK(asked.updates() == 3);
  // Once a day the others are told that it is still in use.
  CHECK(decide_at(*store, 1180 + 86'400).outcome == Outcome::known);
  CHECK(asked.updates() == 4);
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
