// SPDX-License-Identifier: GPL-2.0-or-later
//
// What only the store in Redis does.  What all stores do: store_test.cpp.
#include "postfix-conf/recipients/redis_store.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/store/redis_address.h"
#include "tests/support/catch.h"
#include "tests/support/redis_server.h"
#include "tests/unit/postfix-conf/recipients/store_cases.h"

namespace mxfeed::recipients {
namespace {

using std::chrono::milliseconds;
using Monotonic = std::chrono::steady_clock;

std::vector<std::string> keys_at(const RedisServer& server) {
  std::vector<std::string> keys;
  const RedisReply reply = server.ask({"KEYS", "*"});
  for (const auto& one : reply.list()) keys.push_back(one.text());
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::string key_of_address(const RedisServer& server) {
  for (const auto& key : keys_at(server)) {
    if (key.find("}:a:") != std::string::npos) return key;
  }
  throw std::runtime_error("no address is stored");
}

TEST_CASE("all keys of a domain are in one slot, under the prefix",
          "[recipients_redis]") {
  if (!has_redis()) return;
  const auto server = RedisServer::on_socket();
  const auto store = redis_store(server, "isp");
  accept(*store, "info@acme.example", kNow);
  accept(*store, "sales@acme.example", kNow);
  write(*store, "info@acme.example", {Address{Standing::accepted, kNow}, some().server});
  const auto keys = keys_at(server);
  CHECK(keys.size() == 4);
  std::set<unsigned> slots;
  for (const auto& key : keys) {
    INFO(key);
    CHECK(key.starts_with("isp:recipients:{acme.example}:"));
    CHECK(key.find("info") == std::string::npos);
    slots.insert(redis_slot(key));
  }
  CHECK(slots.size() == 1);
  CHECK(redis_store(server)->find(recipient("info@acme.example")) == Knowledge{});
}

TEST_CASE("each key expires when what it says no longer counts", "[recipients_redis]") {
  if (!has_redis()) return;
  const auto server = RedisServer::on_socket();
  const auto store = redis_store(server);
  const auto life = [&](const std::string& key) {
    return seconds(server.ask({"TTL", key}).number());
  };
  struct {
    Standing standing;
    Time at;
    seconds life;
  } const cases[] = {
      {Standing::accepted, kNow, kAcceptedFor},
      {Standing::accepted, kNow - hours(1), kAcceptedFor - hours(1)},
      {Standing::refused, kNow, kRefusedWhileDown},
      {Standing::deferred, kNow, kDeferredFor},
      {Standing::doubted, kNow, kDeferredFor},
      // After the clock went back.
      {Standing::accepted, kNow + hours(24 * 365), 2 * kAcceptedFor},
  };
  for (const auto& c : cases) {
    server.ask({"FLUSHALL"});
    Server learned;
    learned.accepted_at = c.at;
    write(*store, "info@acme.example", {Address{c.standing, c.at}, learned});
    const auto left = life(key_of_address(server));
    CHECK(left <= c.life);
    CHECK(left > c.life - seconds(60));
    for (const auto& key : keys_at(server)) {
      INFO(key);
      CHECK(life(key) > seconds(0));
    }
  }
  write(*store, "old@gone.example", {Address{Standing::refused, kNow - hours(24)}, {}});
  wait_until(
      [&] { return !store->find(recipient("old@gone.example")).address.has_value(); },
      "what has expired is gone");
}

TEST_CASE("a damaged value counts as unknown and is replaced", "[recipients_redis]") {
  if (!has_redis()) return;
  const auto server = RedisServer::on_socket();
  const auto store = redis_store(server);
  const auto to = recipient("info@acme.example");
  write(*store, "info@acme.example", some());
  const std::string key = key_of_address(server);
  const std::string sound = server.ask({"GET", key}).text();
  const auto& damaged = counter("mxfeed_recipients_redis_damaged_total");
  struct {
    const char* what;
    std::string value;
  } const cases[] = {
      {"text", "accepted"},
      {"one byte", "a"},
      {"the value of a server",
       server.ask({"GET", "mxfeed:recipients:{acme.example}:server"}).text()},
      {"truncated", sound.substr(0, sound.size() - 1)},
      {"more at its end", sound + "x"},
      {"no standing", std::string("a\0", 2)},
      {"standing 0", std::string("a\x01\x00\x03\x01\x01\x00", 7)},
      {"standing 5", std::string("a\x01\x01\x05\x03\x01\x01\x00", 8)},
      {"source 3", std::string("a\x01\x01\x01\x03\x01\x03\x00", 8)},
      {"a time that no calendar has", "a\x01\x01\x01\x02\x08" + std::string(8, '\x7F') +
                                          std::string("\x03\x01\x01\x00", 4)},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    server.ask({"SET", key, c.value});
    const auto before = damaged.value();
    CHECK_FALSE(store->find(to).address.has_value());
    CHECK(damaged.value() == before + 1);
    CHECK(store->find(to).server == some().server);
    write(*store, "info@acme.example", some());
    CHECK(store->find(to) == some());
  }
  for (const char* name : {"server", "accepted"}) {
    INFO(name);
    const auto other = std::string("mxfeed:recipients:{acme.example}:") + name;
    server.ask({"FLUSHALL"});
    server.ask({"RPUSH", other, "a list"});
    CHECK(store->find(to) == Knowledge{});
    Knowledge known = some();
    known.address->standing = Standing::accepted;
    write(*store, "info@acme.example", known);
    CHECK(store->find(to) == known);
    CHECK(store->accepted_neighbour(recipient("new@acme.example")) ==
          "info@acme.example");
  }
}

TEST_CASE("fields of a later version are kept", "[recipients_redis]") {
  if (!has_redis()) return;
  const auto server = RedisServer::on_socket();
  const auto store = redis_store(server);
  write(*store, "info@acme.example", some());
  const std::string later("\x70\x03new", 5);
  for (const auto& key :
       {key_of_address(server), std::string("mxfeed:recipients:{acme.example}:server")}) {
    std::string value = server.ask({"GET", key}).text();
    value.insert(value.size() - 1, later);
    server.ask({"SET", key, value});
    CHECK(store->find(recipient("info@acme.example")) == some());
    Knowledge changed = some();
    changed.address->at += seconds(1);
    changed.server.failed_at += seconds(1);
    write(*store, "info@acme.example", changed);
    CHECK(store->find(recipient("info@acme.example")) == changed);
    CHECK(server.ask({"GET", key}).text().find(later) != std::string::npos);
    write(*store, "info@acme.example", some());
  }
}

TEST_CASE("few accepted addresses are kept in clear, the latest", "[recipients_redis]") {
  if (!has_redis()) return;
  const auto server = RedisServer::on_socket();
  const auto store = redis_store(server);
  for (int i = 0; i < 30; ++i) {
    accept(*store, "a" + std::to_string(i) + "@acme.example", kNow + seconds(i));
  }
  const std::string key = "mxfeed:recipients:{acme.example}:accepted";
  CHECK(server.ask({"ZCARD", key}).number() == 8);
  CHECK(store->accepted_neighbour(recipient("new@acme.example")) == "a29@acme.example");
  CHECK(store->accepted_neighbour(recipient("a29@acme.example")) == "a28@acme.example");
  // One that no longer counts goes.
  server.ask({"DEL", key});
  const auto before = kNow - kAcceptedFor - seconds(1);
  server.ask({"ZADD", key, std::to_string(before.time_since_epoch().count()), "old"});
  accept(*store, "next@acme.example", kNow);
  CHECK(server.ask({"ZCARD", key}).number() == 1);
}

TEST_CASE("a Redis that hangs takes no longer than the budget", "[recipients_redis]") {
  if (!has_redis()) return;
  const auto server = RedisServer::on_socket();
  const auto budget = milliseconds(150);
  const auto store = redis_store(server, "mxfeed", budget);
  const auto to = recipient("info@acme.example");
  wait_until(
      [&] {
        try {
          store->find(to);
          return true;
        } catch (const Fault&) {
          return false;
        }
      },
      "Redis answers");
  server.hang();
  const auto begin = Monotonic::now();
  CHECK_THROWS_AS(store->find(to), Fault);
  CHECK_THROWS_AS(store->update(to, [](Knowledge known) { return known; }), Fault);
  CHECK_THROWS_AS(store->accepted_neighbour(to), Fault);
  CHECK_THROWS_AS(store->sweep(kNow), Fault);
  // What a thread that is ready to run may be late on a busy machine.
  CHECK(Monotonic::now() - begin < 4 * budget + milliseconds(400));
  server.go_on();
}

TEST_CASE("a sweep fails while Redis does not take what is written",
          "[recipients_redis]") {
  if (!has_redis()) return;
  const auto server = RedisServer::on_socket();
  const auto store = redis_store(server);
  CHECK(store->sweep(kNow) == 0);
  server.ask({"CONFIG", "SET", "min-replicas-to-write", "1"});
  CHECK_THROWS_AS(store->sweep(kNow), Fault);
  server.ask({"CONFIG", "SET", "min-replicas-to-write", "0"});
  CHECK(store->sweep(kNow) == 0);
}

}  // namespace
}  // namespace mxfeed::recipients
