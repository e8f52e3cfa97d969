// SPDX-License-Identifier: GPL-2.0-or-later
//
// The store of this host and a Redis beside it, which comes and goes.
#include "postfix-conf/recipients/shared_store.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "tests/support/catch.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/postfix-conf/recipients/store_cases.h"

namespace mxfeed::recipients {
namespace {

using std::chrono::milliseconds;
using Monotonic = std::chrono::steady_clock;
using State = SharedStore::State;

// A store that fails on demand.
class Fragile : public Store {
 public:
  explicit Fragile(std::unique_ptr<Store> inner) : inner_(std::move(inner)) {}

  Knowledge find(const Recipient& recipient) override { return use().find(recipient); }
  Knowledge update(const Recipient& recipient, const Step& step) override {
    return use().update(recipient, step);
  }
  std::optional<std::string> accepted_neighbour(const Recipient& recipient) override {
    return use().accepted_neighbour(recipient);
  }
  std::size_t sweep(Time now) override { return use().sweep(now); }

  bool is_broken = false;
  int uses = 0;

 private:
  Store& use() {
    ++uses;
    if (is_broken) throw Fault("use store", "fragile", "broken");
    return *inner_;
  }
  const std::unique_ptr<Store> inner_;
};

// What one gateway has: both stores are files here, so that only the rules are tested.
class Gateway {
 public:
  Gateway()
      : own_(std::make_unique<Fragile>(open_sqlite_store(directory_.path() / "own.db"))),
        shared_(std::make_unique<Fragile>(
            open_sqlite_store(directory_.path() / "shared.db"))),
        own(*own_),
        shared(*shared_),
        store(std::move(own_), [] { return kNow; }) {
    store.use(std::move(shared_));
  }

 private:
  const TempDirectory directory_;
  std::unique_ptr<Fragile> own_, shared_;

 public:
  Fragile& own;
  Fragile& shared;
  SharedStore store;
};

bool accepts(Store& store, const std::string& address) {
  const auto known = store.find(recipient(address)).address;
  return known && known->standing == Standing::accepted;
}

TEST_CASE("what is learned is in both stores", "[shared_store]") {
  Gateway gateway;
  accept(gateway.store, "info@acme.example", kNow);
  for (Store* const one :
       {static_cast<Store*>(&gateway.own), static_cast<Store*>(&gateway.shared),
        static_cast<Store*>(&gateway.store)}) {
    CHECK(accepts(*one, "info@acme.example"));
    CHECK(one->accepted_neighbour(recipient("new@acme.example")) == "info@acme.example");
  }
  CHECK(gateway.store.state() == State::up);
}

TEST_CASE("the store of others tells what they have learned", "[shared_store]") {
  Gateway gateway;
  accept(gateway.shared, "info@acme.example", kNow);
  CHECK(accepts(gateway.store, "info@acme.example"));
  CHECK(gateway.store.accepted_neighbour(recipient("new@acme.example")) ==
        "info@acme.example");
  write(gateway.own, "sales@acme.example",
        {Address{Standing::refused, kNow - hours(1)}, {}});
  accept(gateway.shared, "sales@acme.example", kNow);
  CHECK(accepts(gateway.store, "sales@acme.example"));
}

TEST_CASE("what only this host knows is not lost", "[shared_store]") {
  Gateway gateway;
  accept(gateway.own, "info@acme.example", kNow - hours(1));
  CHECK(accepts(gateway.store, "info@acme.example"));
  CHECK(gateway.store.accepted_neighbour(recipient("new@acme.example")) ==
        "info@acme.example");
  // An update builds on it, and tells the others.
  gateway.store.update(recipient("info@acme.example"), [](Knowledge known) {
    known.server.accepted_at = kNow;
    return known;
  });
  CHECK(accepts(gateway.shared, "info@acme.example"));
  // Another host that did not know it could not learn more.
  write(gateway.shared, "info@acme.example", {Address{Standing::deferred, kNow}, {}});
  CHECK(accepts(gateway.store, "info@acme.example"));
}

TEST_CASE("a fault of the shared store is the last until a sweep finds it back",
          "[shared_store]") {
  Gateway gateway;
  const auto& faults = counter("mxfeed_recipients_redis_faults_total");
  const auto& is_up = gauge("mxfeed_recipients_redis_up");
  CHECK(is_up.value() == 1);
  gateway.shared.is_broken = true;
  const auto faults_before = faults.value();
  accept(gateway.store, "info@acme.example", kNow);
  CHECK(faults.value() == faults_before + 1);
  CHECK(gateway.store.state() == State::away);
  CHECK(is_up.value() == 0);
  const int uses = gateway.shared.uses;
  CHECK(accepts(gateway.store, "info@acme.example"));
  CHECK(gateway.store.accepted_neighbour(recipient("new@acme.example")) ==
        "info@acme.example");
  CHECK(gateway.shared.uses == uses);
  CHECK(gateway.store.sweep(kNow) == 0);
  CHECK(gateway.store.state() == State::away);
  gateway.shared.is_broken = false;
  CHECK(gateway.store.state() == State::away);
  gateway.store.sweep(kNow);
  CHECK(gateway.store.state() == State::up);
  CHECK(is_up.value() == 1);
  // What was learned meanwhile is still known, and what is learned now is shared.
  CHECK(accepts(gateway.store, "info@acme.example"));
  accept(gateway.store, "sales@acme.example", kNow);
  CHECK(accepts(gateway.shared, "sales@acme.example"));
}

TEST_CASE("each function notices that the shared store is away", "[shared_store]") {
  const auto to = recipient("info@acme.example");
  const std::function<void(Store&)> functions[] = {
      [&](Store& store) { store.find(to); },
      [&](Store& store) { store.update(to, [](Knowledge known) { return known; }); },
      [&](Store& store) { store.accepted_neighbour(to); },
      [&](Store& store) { store.sweep(kNow); },
  };
  for (const auto& function : functions) {
    Gateway gateway;
    gateway.shared.is_broken = true;
    CHECK_NOTHROW(function(gateway.store));
    CHECK(gateway.store.state() == State::away);
  }
}

TEST_CASE("without the own store the shared one goes on", "[shared_store]") {
  Gateway gateway;
  const auto to = recipient("info@acme.example");
  gateway.own.is_broken = true;
  const auto& faults = counter("mxfeed_recipients_store_faults_total");
  const auto before = faults.value();
  accept(gateway.store, "info@acme.example", kNow);
  CHECK(accepts(gateway.store, "info@acme.example"));
  CHECK(faults.value() > before);
  CHECK(gateway.store.state() == State::up);
  gateway.shared.is_broken = true;
  CHECK_THROWS_AS(gateway.store.find(to), Fault);
  CHECK_THROWS_AS(gateway.store.find(to), Fault);
}

TEST_CASE("the shared store can be changed and taken away", "[shared_store]") {
  Gateway gateway;
  gateway.shared.is_broken = true;
  gateway.store.find(recipient("info@acme.example"));
  CHECK(gateway.store.state() == State::away);
  const TempDirectory directory;
  auto other = open_sqlite_store(directory.path() / "other.db");
  accept(*other, "info@acme.example", kNow);
  gateway.store.use(std::move(other));
  CHECK(gateway.store.state() == State::up);
  CHECK(accepts(gateway.store, "info@acme.example"));
  gateway.store.use(nullptr);
  CHECK(gateway.store.state() == State::off);
  CHECK_FALSE(accepts(gateway.store, "info@acme.example"));
  CHECK(gateway.store.sweep(kNow) == 0);
}

// With a real Redis.
class RedisGateway {
 public:
  explicit RedisGateway(const RedisServer& server)
      : store(open_sqlite_store(directory_.path() / "own.db"), [] { return kNow; }) {
    store.use(redis_store(server, "mxfeed", kBudget));
    come_back();
  }
  void come_back() {
    wait_until(
        [&] {
          store.sweep(kNow);
          return store.state() == State::up;
        },
        "Redis is used again");
  }
  static constexpr milliseconds kBudget{150};

 private:
  const TempDirectory directory_;

 public:
  SharedStore store;
};

TEST_CASE("two gateways that share a Redis learn from each other", "[shared_store]") {
  if (!has_redis()) return;
  auto server = RedisServer::on_socket();
  RedisGateway one(server), two(server);
  // A busy machine may be late: then nothing is shared until the next sweep.
  wait_until(
      [&] {
        one.come_back();
        accept(one.store, "info@acme.example", kNow);
        two.come_back();
        return accepts(two.store, "info@acme.example");
      },
      "two knows it of one");
  two.come_back();
  CHECK(two.store.accepted_neighbour(recipient("new@acme.example")) ==
        "info@acme.example");
  // Redis comes back without what it had.
  server.stop();
  accept(one.store, "sales@acme.example", kNow);
  CHECK(one.store.state() == State::away);
  CHECK(accepts(one.store, "sales@acme.example"));
  CHECK_FALSE(accepts(two.store, "sales@acme.example"));
  server.start();
  one.come_back();
  two.come_back();
  CHECK(accepts(one.store, "info@acme.example"));
  CHECK(accepts(one.store, "sales@acme.example"));
  // Told by one and learned by two.
  write(two.store, "sales@acme.example", {Address{Standing::refused, kNow}, {}});
  wait_until(
      [&] {
        one.come_back();
        return !accepts(one.store, "sales@acme.example");
      },
      "one knows it of two");
}

TEST_CASE("a Redis that hangs delays one question by its budget, and the next not at all",
          "[shared_store]") {
  if (!has_redis()) return;
  const auto server = RedisServer::on_socket();
  RedisGateway gateway(server);
  accept(gateway.store, "info@acme.example", kNow);
  server.hang();
  auto begin = Monotonic::now();
  CHECK(accepts(gateway.store, "info@acme.example"));
  CHECK(Monotonic::now() - begin < RedisGateway::kBudget + milliseconds(400));
  CHECK(gateway.store.state() == State::away);
  begin = Monotonic::now();
  for (int i = 0; i < 100; ++i) {
    gateway.store.find(recipient("info@acme.example"));
  }
  CHECK(Monotonic::now() - begin < 100 * RedisGateway::kBudget / 2);
  server.go_on();
  gateway.come_back();
  CHECK(accepts(gateway.store, "info@acme.example"));
}

}  // namespace
}  // namespace mxfeed::recipients
