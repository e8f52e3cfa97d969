// SPDX-License-Identifier: GPL-2.0-or-later
//
// What every store does, tried on each, and what only the one of SQLite does.
#include "postfix-conf/recipients/store.h"

#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "common/base/fault.h"
#include "common/store/sqlite.h"
#include "tests/support/catch.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/postfix-conf/recipients/store_cases.h"

namespace mxfeed::recipients {
namespace {

// Opens what another store of the same kind has written, too.
using Open = std::function<std::unique_ptr<Store>()>;

void on_each_store(const std::function<void(const Open&)>& claim) {
  {
    INFO("SQLite");
    const TempDirectory directory;
    claim([&] { return open_sqlite_store(directory.path() / "recipients.db"); });
  }
  if (!has_redis()) return;
  INFO("Redis");
  const auto server = RedisServer::on_socket();
  claim([&] { return redis_store(server); });
}

TEST_CASE("a store gives back what was written", "[recipients_store]") {
  on_each_store([](const Open& open) {
    {
      const auto store = open();
      CHECK(store->find(recipient("info@acme.example")) == Knowledge{});
      write(*store, "Info@acme.example", some());
      CHECK(store->find(recipient("info@ACME.example")) == some());
      CHECK_FALSE(store->find(recipient("other@acme.example")).address.has_value());
      CHECK(store->find(recipient("other@acme.example")).server == some().server);
      CHECK(store->find(recipient("info@other.example")) == Knowledge{});
      CHECK(store->find(recipient("info@sub.acme.example")) == Knowledge{});
    }
    CHECK(open()->find(recipient("info@acme.example")) == some());
  });
}

TEST_CASE("each standing and source is kept", "[recipients_store]") {
  on_each_store([](const Open& open) {
    const auto store = open();
    for (const auto standing :
         {Standing::accepted, Standing::refused, Standing::deferred, Standing::doubted}) {
      for (const auto source : {Address::Source::call_out, Address::Source::delivery}) {
        const Knowledge known{Address{standing, kNow, source}, {}};
        write(*store, "info@acme.example", known);
        CHECK(store->find(recipient("info@acme.example")) == known);
      }
    }
  });
}

TEST_CASE("an update sees what the one before has written", "[recipients_store]") {
  on_each_store([](const Open& open) {
    const auto store = open();
    write(*store, "info@acme.example", some());
    Knowledge seen;
    const auto after =
        open()->update(recipient("info@acme.example"), [&](Knowledge known) {
          seen = known;
          known.server.takes_random = false;
          return known;
        });
    CHECK(seen == some());
    CHECK_FALSE(after.server.takes_random);
    CHECK(store->find(recipient("info@acme.example")) == after);
  });
}

TEST_CASE("no writer comes between what an update reads and writes",
          "[recipients_store]") {
  on_each_store([](const Open& open) {
    constexpr int kThreads = 4;
    constexpr int kUpdates = 50;
    std::vector<std::unique_ptr<Store>> stores;
    stores.push_back(open());
    stores.push_back(open());
    write(*stores[0], "info@acme.example", some());
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&store = *stores[static_cast<std::size_t>(i) % 2], i] {
        const auto own = recipient("a" + std::to_string(i) + "@acme.example");
        for (int n = 0; n < kUpdates; ++n) {
          store.update(own, [](Knowledge known) {
            known.server.accepted_at += seconds(1);
            return known;
          });
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(stores[0]->find(recipient("info@acme.example")).server.accepted_at ==
          some().server.accepted_at + seconds(kThreads * kUpdates));
  });
}

TEST_CASE("the neighbour is the address of the domain that was accepted last",
          "[recipients_store]") {
  on_each_store([](const Open& open) {
    const auto store = open();
    const auto neighbour = [&](const char* of) {
      return store->accepted_neighbour(recipient(of)).value_or("");
    };
    CHECK(neighbour("new@acme.example").empty());
    accept(*store, "old@acme.example", kNow - hours(1));
    accept(*store, "info@acme.example", kNow);
    accept(*store, "info@other.example", kNow + hours(1));
    write(*store, "gone@acme.example", some());
    CHECK(neighbour("new@acme.example") == "info@acme.example");
    CHECK(neighbour("INFO@acme.example") == "old@acme.example");
    // One that is refused now.
    write(*store, "info@acme.example", some());
    CHECK(neighbour("new@acme.example") == "old@acme.example");
  });
}

TEST_CASE("a local part of any characters has its own entry", "[recipients_store]") {
  on_each_store([](const Open& open) {
    const auto store = open();
    Time at = kNow;
    const char* const kAddresses[] = {"{a}@acme.example", "a}@acme.example",
                                      "a:b@acme.example", "server@acme.example",
                                      "\xC3\xBC@acme.example"};
    for (const auto* one : kAddresses) accept(*store, one, at += seconds(1));
    at = kNow;
    for (const auto* one : kAddresses) {
      INFO(one);
      const auto known = store->find(recipient(one));
      REQUIRE(known.address.has_value());
      CHECK(known.address->at == (at += seconds(1)));
    }
  });
}

TEST_CASE("a sweep removes what has expired", "[recipients_store]") {
  const TempDirectory directory;
  const auto store = open_sqlite_store(directory.path() / "recipients.db");
  accept(*store, "old@acme.example", kNow - kAcceptedFor - seconds(1));
  accept(*store, "info@acme.example", kNow - kAcceptedFor);
  CHECK(store->sweep(kNow) == 1);
  CHECK_FALSE(store->find(recipient("old@acme.example")).address.has_value());
  CHECK(store->find(recipient("info@acme.example")).address.has_value());
  CHECK(store->sweep(kNow) == 0);
}

TEST_CASE("a store that is too large loses what expires first", "[recipients_store]") {
  const TempDirectory directory;
  const auto store = open_sqlite_store(directory.path() / "recipients.db", 300'000);
  for (int i = 0; i < 3000; ++i) {
    Knowledge known;
    known.address = Address{Standing::refused, kNow, Address::Source::call_out};
    write(*store, "unknown" + std::to_string(i) + "@acme.example", known);
  }
  accept(*store, "info@acme.example", kNow);
  std::size_t removed = 0;
  for (int i = 0; i < 10; ++i) removed += store->sweep(kNow);
  CHECK(removed >= 1000);
  CHECK(removed < 3000);
  CHECK(store->find(recipient("info@acme.example")).address.has_value());
}

TEST_CASE("a damaged store is set aside", "[recipients_store]") {
  const TempDirectory directory;
  const auto file = directory.path() / "recipients.db";
  std::ofstream(file) << std::string(10'000, 'x');
  const auto store = open_sqlite_store(file);
  CHECK(std::filesystem::exists(directory.path() / "recipients.db.damaged"));
  write(*store, "info@acme.example", some());
  CHECK(store->find(recipient("info@acme.example")) == some());
}

TEST_CASE("a store of a later version is not used", "[recipients_store]") {
  const TempDirectory directory;
  const auto file = directory.path() / "recipients.db";
  open_sqlite_store(file);
  {
    Sqlite later(file, Sqlite::Access::read_write, seconds(1));
    later.execute("PRAGMA user_version = 2");
  }
  CHECK_THROWS_AS(open_sqlite_store(file), Fault);
}

}  // namespace
}  // namespace mxfeed::recipients
