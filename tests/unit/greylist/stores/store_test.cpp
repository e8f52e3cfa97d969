// SPDX-License-Identifier: GPL-2.0-or-later
//
// The contract that every store keeps.

#include "milters/greylist/stores/store.h"

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/fault.h"
#include "milters/greylist/stores/redis.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/greylist/stores/store_rig.h"

namespace mxfeed::greylist {
namespace {

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

}  // namespace
}  // namespace mxfeed::greylist
