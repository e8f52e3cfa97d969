// SPDX-License-Identifier: GPL-2.0-or-later
//
// Several real redis-servers of a test's own, which end with the objects.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/process.h"
#include "common/store/redis.h"
#include "tests/support/redis_server.h"

namespace mxfeed {

// A master, its replica and a Sentinel.
class ReplicatedRedis {
 public:
  ReplicatedRedis() {
    wait_until([&] { return replica.ask({"ROLE"}).list().at(3).text() == "connected"; },
               "the replica is connected");
    sentinel.emplace(std::vector<std::string>{
        "sentinel monitor mx 127.0.0.1 " + std::to_string(master.port()) + " 1",
        "sentinel down-after-milliseconds mx 300",
        // Sentinel asks the new master only once a second whether it is one.
        "sentinel failover-timeout mx 10000"});
    wait_until(
        [&] {
          return sentinel->ask({"SENTINEL", "REPLICAS", "mx"}).list().size() == 1;
        },
        "the sentinel knows the replica");
  }
  RedisOptions options() const {
    RedisOptions all;
    all.kind = RedisKind::sentinel;
    all.servers = {sentinel->address()};
    all.master = "mx";
    return all;
  }
  // Has the replica take over, with the master in order.  What was written before is
  // kept.
  void fail_over() const {
    const auto written = master.ask({"ROLE"}).list().at(1).number();
    wait_until([&] { return replica.ask({"ROLE"}).list().at(4).number() >= written; },
               "the replica has what was written");
    wait_until(
        [&] {
          try {
            sentinel->ask({"SENTINEL", "FAILOVER", "mx"});
            return true;
          } catch (const RedisError&) {
            return false;  // it does not know yet how the replica is
          }
        },
        "a failover begins");
    wait_until([&] { return has_failed_over(); }, "it fails over");
  }
  bool has_failed_over() const {
    try {
      return master.ask({"ROLE"}).list().at(0).text() == "slave";
    } catch (const Fault&) {
      return false;  // Sentinel closes the connections to one that becomes a replica
    }
  }

  const RedisServer master = RedisServer::on_port({"repl-diskless-sync-delay 0"});
  const RedisServer replica =
      RedisServer::on_port({"replicaof 127.0.0.1 " + std::to_string(master.port())});
  std::optional<RedisSentinel> sentinel;
};

// Three masters.
class RedisCluster {
 public:
  RedisCluster() {
    std::vector<std::string> command{"redis-cli", "--cluster", "create"};
    for (const auto& node : nodes) command.push_back(node.address().str());
    command.push_back("--cluster-yes");
    std::string said;
    const auto result = run_command(
        command, "", [&](std::string_view line) { said += std::string(line) + "\n"; });
    if (result.status != 0) throw std::runtime_error(said + result.errors);
    for (const auto& node : nodes) {
      wait_until(
          [&] {
            return node.ask({"CLUSTER", "INFO"}).text().find("cluster_state:ok") !=
                   std::string::npos;
          },
          "the cluster is up");
    }
  }

  const RedisServer& owner(const std::string& key) const {
    for (const auto& node : nodes) {
      try {
        node.ask({"GET", key});
        return node;
      } catch (const RedisError&) {
      }
    }
    throw std::runtime_error("no owner");
  }
  const RedisServer& other(const std::string& key) const {
    const RedisServer& from = owner(key);
    return &from == &nodes[0] ? nodes[1] : nodes[0];
  }
  RedisOptions options() const {
    RedisOptions all;
    all.kind = RedisKind::cluster;
    all.servers = {nodes[0].address()};
    return all;
  }
  // Moves all keys of the slot of `key` to another node.
  void move_slot_of(const std::string& key) const {
    const RedisServer& from = owner(key);
    const RedisServer& to = other(key);
    const std::string slot = std::to_string(redis_slot(key));
    to.ask({"CLUSTER", "SETSLOT", slot, "IMPORTING", id(from)});
    from.ask({"CLUSTER", "SETSLOT", slot, "MIGRATING", id(to)});
    for (;;) {
      const auto keys = from.ask({"CLUSTER", "GETKEYSINSLOT", slot, "100"}).list();
      if (keys.empty()) break;
      for (const auto& one : keys) {
        from.ask(
            {"MIGRATE", "127.0.0.1", std::to_string(to.port()), one.text(), "0", "5000"});
      }
    }
    to.ask({"CLUSTER", "SETSLOT", slot, "NODE", id(to)});
    from.ask({"CLUSTER", "SETSLOT", slot, "NODE", id(to)});
  }
  static std::string id(const RedisServer& node) {
    return node.ask({"CLUSTER", "MYID"}).text();
  }

  static RedisServer node() {
    const auto bus = std::to_string(free_port());
    return RedisServer::on_port({"cluster-enabled yes", "cluster-port " + bus,
                                 "cluster-require-full-coverage no",
                                 "cluster-node-timeout 60000"});
  }
  RedisServer nodes[3] = {node(), node(), node()};
};

}  // namespace mxfeed
