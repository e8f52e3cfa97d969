// SPDX-License-Identifier: GPL-2.0-or-later
//
// Several real servers: with a Sentinel, and as a cluster.
#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/redis_fleet.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/store/redis_asking.h"

namespace mxfeed {
namespace {

TEST_CASE("after a failover the new master is asked", "[redis]") {
  if (!has_redis()) return;
  ReplicatedRedis set;
  // Another Sentinel, which does not answer.
  const RedisSentinel hung({});
  hung.hang();
  auto options = set.options();
  options.servers.insert(options.servers.begin(), hung.address());
  Redis redis(options);
  CHECK(ask(redis, {"SET", "a", "1"}, milliseconds(1000)).text() == "OK");
  set.master.hang();
  wait_until(
      [&] {
        return answers(redis, {"SET", "a", "2"});
      },
      "the new master is asked");
  CHECK(set.replica.ask({"GET", "a"}).text() == "2");
  // The old one comes back, and then is a replica.
  set.master.go_on();
  wait_until([&] { return set.has_failed_over(); }, "it is a replica");
  CHECK(answers(redis, {"SET", "a", "3"}));
}

TEST_CASE("a master that has become a replica is left", "[redis]") {
  if (!has_redis()) return;
  ReplicatedRedis set;
  Redis redis(set.options());
  CHECK(ask(redis, {"SET", "a", "1"}).text() == "OK");
  set.fail_over();
  wait_until(
      [&] {
        return answers(redis, {"SET", "a", "2"});
      },
      "the new master is asked");
  CHECK(set.replica.ask({"GET", "a"}).text() == "2");
}

TEST_CASE("past its deadline a command does not wait to learn who the master is",
          "[redis]") {
  if (!has_redis()) return;
  const ReplicatedRedis set;
  auto options = set.options();
  options.servers.push_back(options.servers.front());
  set.sentinel->hang();
  const std::string_view words[] = {"GET", "a"};
  const auto begin = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(Redis(options).run("a", words, begin - milliseconds(1)), Fault);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
  set.sentinel->go_on();
}

TEST_CASE("a Sentinel needs to know the master, not the password", "[redis]") {
  if (!has_redis()) return;
  const TempDirectory directory;
  std::ofstream(directory.path() / "password") << "secret";
  const auto master = RedisServer::on_port({"requirepass secret"});
  const RedisSentinel sentinel(
      {"sentinel monitor mx 127.0.0.1 " + std::to_string(master.port()) + " 1"});
  RedisOptions options;
  options.kind = RedisKind::sentinel;
  options.servers = {sentinel.address()};
  options.login.password_file = directory.path() / "password";
  options.master = "mx";
  CHECK(ask(*std::make_unique<Redis>(options), {"SET", "a", "1"}).text() == "OK");
  options.master = "unknown";
  CHECK_FALSE(answers(*std::make_unique<Redis>(options), {"SET", "a", "1"}));
}

TEST_CASE("in a cluster each key is asked for where it is", "[redis]") {
  if (!has_redis()) return;
  RedisCluster cluster;
  RedisOptions options;
  options.kind = RedisKind::cluster;
  // Found from any of them, though another does not answer.
  options.servers = {RedisAddress::parse("127.0.0.1:1").value(),
                     cluster.nodes[0].address()};
  Redis redis(options);
  for (int i = 0; i < 100; ++i) {
    const std::string key = "mxfeed:{" + std::to_string(i) + "}";
    CHECK(ask(redis, {"SET", key, std::to_string(i)}).text() == "OK");
    CHECK(ask_script(redis, "return redis.call('GET', KEYS[1])", {key}, {}).text() ==
          std::to_string(i));
  }
  for (const auto& node : cluster.nodes) CHECK(node.ask({"DBSIZE"}).number() > 10);
  CHECK_THROWS_AS(ask_script(redis, "return 1", {"a", "b"}, {""}), Fault);

  SECTION("a slot that is being migrated, and has moved") {
    const std::string key = "{moving}a", absent = "{moving}b";
    ask(redis, {"SET", key, "1"});
    const RedisServer& from = cluster.owner(key);
    const RedisServer& to = cluster.other(key);
    const std::string slot = std::to_string(redis_slot(key));
    to.ask({"CLUSTER", "SETSLOT", slot, "IMPORTING", RedisCluster::id(from)});
    from.ask({"CLUSTER", "SETSLOT", slot, "MIGRATING", RedisCluster::id(to)});
    // ASK, for a key that is not there any more.
    CHECK(ask(redis, {"SET", absent, "2"}).text() == "OK");
    CHECK(ask(redis, {"GET", key}).text() == "1");
    CHECK(ask(redis, {"GET", absent}).text() == "2");
    // TRYAGAIN until all keys are at one of them.
    std::thread migration([&] {
      std::this_thread::sleep_for(milliseconds(50));
      from.ask({"MIGRATE", "127.0.0.1", std::to_string(to.port()), key, "0", "5000"});
      to.ask({"CLUSTER", "SETSLOT", slot, "NODE", RedisCluster::id(to)});
      from.ask({"CLUSTER", "SETSLOT", slot, "NODE", RedisCluster::id(to)});
    });
    std::string both;
    try {
      both = ask(redis, {"MGET", key, absent}).list().at(1).text();
    } catch (const Fault& fault) {
      both = fault.what();
    }
    migration.join();
    CHECK(both == "2");
    // MOVED.
    CHECK(ask(redis, {"GET", key}).text() == "1");
    CHECK(&cluster.owner(key) == &to);
  }
  SECTION("a node that hangs costs nothing at the others") {
    const RedisServer& hung = cluster.owner("{hung}");
    hung.hang();
    const auto ask_all = [&] {
      int answered = 0;
      for (int i = 0; i < 100; ++i) {
        answered += answers(redis, {"GET", "mxfeed:{" + std::to_string(i) + "}"});
      }
      return answered;
    };
    int there = 0;
    for (const auto& node : cluster.nodes) {
      if (&node != &hung) there += static_cast<int>(node.ask({"DBSIZE"}).number());
    }
    const auto begin = Monotonic::now();
    CHECK(ask_all() == there);
    // The breaker opens after five.
    CHECK(Monotonic::now() - begin < 10 * kBudget + kLate);
    hung.go_on();
    wait_until([&] { return ask_all() == 100; }, "it is asked again");
  }
}

}  // namespace
}  // namespace mxfeed
