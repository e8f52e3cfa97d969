// SPDX-License-Identifier: GPL-2.0-or-later
//
// Against real servers, which the tests start.
#include "common/store/redis.h"

#include <signal.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/file.h"
#include "common/base/unix_socket.h"
#include "tests/support/catch.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Monotonic = std::chrono::steady_clock;

constexpr auto kBudget = milliseconds(250);
// What a thread that is ready to run may be late on a busy machine.
constexpr auto kLate = milliseconds(400);

using Strings = std::vector<std::string>;

RedisReply ask(Redis& redis, const Strings& words, milliseconds budget = seconds(10)) {
  const std::vector<std::string_view> views(words.begin(), words.end());
  return redis.run(words.size() > 1 ? words[1] : "", views, Monotonic::now() + budget);
}

RedisReply ask_script(Redis& redis, const std::string& script, const Strings& keys,
                      const Strings& arguments) {
  const std::vector<std::string_view> key_views(keys.begin(), keys.end());
  const std::vector<std::string_view> views(arguments.begin(), arguments.end());
  return redis.run_script(script, key_views, views, Monotonic::now() + seconds(10));
}

bool answers(Redis& redis, const Strings& words) {
  try {
    ask(redis, words, kBudget);
    return true;
  } catch (const Fault&) {
    return false;
  }
}

RedisOptions options_for(const RedisServer& server) {
  RedisOptions options;
  options.servers = {server.address()};
  return options;
}

TEST_CASE("keys and values are any bytes", "[redis]") {
  if (!has_redis()) return;
  const auto server = RedisServer::on_socket();
  Redis redis(options_for(server));
  const std::string bytes("\0\r\n$5\r\n{}\xFF", 11);
  CHECK(ask(redis, {"SET", bytes, bytes}).text() == "OK");
  CHECK(ask(redis, {"GET", bytes}).text() == bytes);
  CHECK(ask(redis, {"SET", "empty", ""}).text() == "OK");
  CHECK(ask(redis, {"GET", "empty"}).text().empty());
  CHECK(ask(redis, {"GET", "missing"}).is_nil());
  CHECK(ask(redis, {"INCR", "count"}).number() == 1);
  const auto many = ask(redis, {"MGET", "count", "missing"});
  REQUIRE(many.list().size() == 2);
  CHECK(many.list()[0].text() == "1");
  CHECK(many.list()[1].is_nil());
}

TEST_CASE("a reply of another type is a fault", "[redis]") {
  const RedisReply text(std::string("1")), number(std::int64_t{1}), nil;
  CHECK_THROWS_AS(text.number(), Fault);
  CHECK_THROWS_AS(number.text(), Fault);
  CHECK_THROWS_AS(nil.list(), Fault);
}

TEST_CASE("an error of Redis has its code, and the connection goes on", "[redis]") {
  if (!has_redis()) return;
  const auto server = RedisServer::on_socket();
  Redis redis(options_for(server));
  ask(redis, {"SET", "text", "a"});
  try {
    ask(redis, {"HGET", "text", "a"});
    FAIL("no error");
  } catch (const RedisError& error) {
    CHECK(error.code() == "WRONGTYPE");
  }
  CHECK(ask(redis, {"GET", "text"}).text() == "a");
  // One in an array.
  CHECK_THROWS_AS(ask_script(redis, "return {1, redis.error_reply('ODD')}", {"a"}, {}),
                  RedisError);
  CHECK(server.ask({"INFO", "clients"}).text().find("connected_clients:2") !=
        std::string::npos);
}

TEST_CASE("a script is sent again after Redis has lost it", "[redis]") {
  if (!has_redis()) return;
  const auto server = RedisServer::on_socket();
  Redis redis(options_for(server));
  const std::string script = "return {KEYS[1], KEYS[2], ARGV[1]}";
  for (int i = 0; i < 2; ++i) {
    const auto reply = ask_script(redis, script, {"{a}1", "{a}2"}, {"three"});
    REQUIRE(reply.list().size() == 3);
    CHECK(reply.list()[1].text() == "{a}2");
    CHECK(reply.list()[2].text() == "three");
    server.ask({"SCRIPT", "FLUSH"});
  }
  server.ask({"CONFIG", "RESETSTAT"});
  for (int i = 0; i < 3; ++i) ask_script(redis, script, {"{a}1", "{a}2"}, {"three"});
  const auto statistics = server.ask({"INFO", "commandstats"}).text();
  CHECK(statistics.find("cmdstat_evalsha:calls=3") != std::string::npos);
  CHECK(statistics.find("cmdstat_eval:calls=1") != std::string::npos);
  CHECK_THROWS_AS(ask_script(redis, script, {"a", "b"}, {""}), Fault);
}

TEST_CASE("the password is read from its file", "[redis]") {
  if (!has_redis()) return;
  const TempDirectory directory;
  const auto file = directory.path() / "password";
  std::ofstream(file) << "se cret\n";
  const auto server = RedisServer::on_socket(
      {"user default off", "user mxfeed on \">se cret\" ~mxfeed:* +@all"});
  auto options = options_for(server);
  options.rest = milliseconds(0);
  {
    Redis redis(options);
    CHECK_THROWS_AS(ask(redis, {"GET", "mxfeed:a"}), RedisError);  // NOAUTH
  }
  options.login = {"mxfeed", file};
  {
    Redis redis(options);
    CHECK(ask(redis, {"SET", "mxfeed:a", "1"}).text() == "OK");
    CHECK_THROWS_AS(ask(redis, {"SET", "other", "1"}), RedisError);  // NOPERM
  }
  Redis redis(options);
  std::ofstream(file) << "wrong";
  CHECK_FALSE(answers(redis, {"GET", "mxfeed:a"}));
  std::filesystem::remove(file);
  CHECK_FALSE(answers(redis, {"GET", "mxfeed:a"}));
  std::ofstream(file) << "se cret";
  CHECK(answers(redis, {"GET", "mxfeed:a"}));
}

TEST_CASE("a password alone is that of the default user", "[redis]") {
  if (!has_redis()) return;
  const TempDirectory directory;
  const auto file = directory.path() / "password";
  std::ofstream(file) << "secret";
  const auto server = RedisServer::on_socket({"requirepass secret"});
  auto options = options_for(server);
  options.login.password_file = file;
  Redis redis(options);
  CHECK(ask(redis, {"SET", "a", "1"}).text() == "OK");
}

TEST_CASE("a server that was restarted is asked again at once", "[redis]") {
  if (!has_redis()) return;
  auto server = RedisServer::on_socket();
  Redis redis(options_for(server));
  ask(redis, {"SET", "a", "1"});
  server.stop();
  CHECK_FALSE(answers(redis, {"GET", "a"}));
  server.start();
  CHECK(ask(redis, {"GET", "a"}).is_nil());
  // Also without a failure in between.
  server.stop();
  server.start();
  CHECK(ask(redis, {"GET", "a"}).is_nil());
}

TEST_CASE("a server that hangs delays nobody beyond the budget, and then not at all",
          "[redis]") {
  if (!has_redis()) return;
  for (const bool is_unix : {true, false}) {
    const auto server = is_unix ? RedisServer::on_socket() : RedisServer::on_port();
    auto options = options_for(server);
    options.rest = seconds(2);
    Redis redis(options);
    ask(redis, {"SET", "a", "1"});
    server.hang();
    std::atomic<int> late{0}, answered{0};
    std::vector<std::thread> threads;
    // More than there are connections.
    for (int i = 0; i < 40; ++i) {
      threads.emplace_back([&] {
        const auto begin = Monotonic::now();
        if (answers(redis, {"GET", "a"})) ++answered;
        if (Monotonic::now() - begin > kBudget + kLate) ++late;
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(late == 0);
    CHECK(answered == 0);
    const auto begin = Monotonic::now();
    CHECK_FALSE(answers(redis, {"GET", "a"}));
    CHECK(Monotonic::now() - begin < kBudget / 2);
    server.go_on();
    wait_until([&] { return answers(redis, {"GET", "a"}); }, "it is asked again");
  }
}

TEST_CASE("threads share a few connections", "[redis]") {
  if (!has_redis()) return;
  const auto server = RedisServer::on_socket();
  auto options = options_for(server);
  options.connections = 3;
  Redis redis(options);
  std::vector<std::thread> threads;
  std::atomic<int> faults{0};
  for (int i = 0; i < 10; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 200; ++n) {
        try {
          ask(redis, {"INCR", "count"});
        } catch (const Fault&) {
          ++faults;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(faults == 0);
  CHECK(ask(redis, {"GET", "count"}).text() == "2000");
  const auto statistics = server.ask({"INFO", "stats"}).text();
  const auto at = statistics.find("total_connections_received:");
  REQUIRE(at != std::string::npos);
  // Those of the test itself, too.
  CHECK(std::stoi(statistics.substr(at + 27)) <= 3 + 50);
  CHECK(server.ask({"INFO", "clients"}).text().find("connected_clients:4") !=
        std::string::npos);
}

// ---- Sentinel

class Replicated {
 public:
  Replicated() {
    wait_until([&] { return replica.ask({"ROLE"}).list().at(3).text() == "connected"; },
               "the replica is connected");
    sentinel.emplace(std::vector<std::string>{
        "sentinel monitor mx 127.0.0.1 " + std::to_string(master.port()) + " 1",
        "sentinel down-after-milliseconds mx 300", "sentinel failover-timeout mx 1000"});
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
  bool has_failed_over() const {
    return master.ask({"ROLE"}).list().at(0).text() == "slave";
  }

  const RedisServer master = RedisServer::on_port({"repl-diskless-sync-delay 0"});
  const RedisServer replica =
      RedisServer::on_port({"replicaof 127.0.0.1 " + std::to_string(master.port())});
  std::optional<RedisSentinel> sentinel;
};

TEST_CASE("after a failover the new master is asked", "[redis]") {
  if (!has_redis()) return;
  Replicated set;
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
  Replicated set;
  Redis redis(set.options());
  CHECK(ask(redis, {"SET", "a", "1"}).text() == "OK");
  wait_until(
      [&] {
        try {
          set.sentinel->ask({"SENTINEL", "FAILOVER", "mx"});
          return true;
        } catch (const RedisError&) {
          return false;  // it does not know yet how the replica is
        }
      },
      "a failover begins");
  wait_until([&] { return set.has_failed_over(); }, "it fails over");
  wait_until(
      [&] {
        return answers(redis, {"SET", "a", "2"});
      },
      "the new master is asked");
  CHECK(set.replica.ask({"GET", "a"}).text() == "2");
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

// ---- servers that do not keep to the protocol

// Answers each connection with the text, then with the rest again and again.
class LyingServer {
 public:
  LyingServer(std::string text, std::string rest, milliseconds pause)
      : listener_(directory_.path() / "socket", SOCK_STREAM, 0600, 8) {
    thread_ = std::thread([this, text = std::move(text), rest = std::move(rest), pause] {
      while (!is_stopping_) {
        const Fd client = listener_.accept();
        if (!client) {
          std::this_thread::sleep_for(milliseconds(1));
          continue;
        }
        bool is_open = send_all(client.get(), text);
        while (is_open && !is_stopping_) {
          if (pause.count() > 0) std::this_thread::sleep_for(pause);
          is_open = rest.empty() || send_all(client.get(), rest);
          if (rest.empty()) std::this_thread::sleep_for(milliseconds(1));
        }
      }
    });
  }
  ~LyingServer() {
    is_stopping_ = true;
    thread_.join();
  }
  RedisAddress address() const {
    return RedisAddress::parse("unix:" + listener_.path().string()).value();
  }

 private:
  const TempDirectory directory_;
  UnixListener listener_;
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

TEST_CASE("a server that lies is a fault within the budget", "[redis]") {
  ::signal(SIGPIPE, SIG_IGN);
  struct Row {
    const char* name;
    std::string text, rest;
    milliseconds pause{0};
  };
  const Row rows[] = {
      {"no RESP", "HTTP/1.1 400 Bad Request\r\n", "", {}},
      {"a string without an end", "$1000000000\r\n", std::string(100'000, 'a'), {}},
      {"a line without an end", "+", std::string(100'000, 'a'), {}},
      {"an array without an end", "*1000000\r\n", ":1\r\n:1\r\n:1\r\n", {}},
      {"more elements than memory", "*2147483647\r\n", "*2147483647\r\n", {}},
      {"arrays in arrays", "", "*1\r\n", {}},
      {"a byte at a time", "$100000\r\n", "a", milliseconds(10)},
      {"two replies", "+OK\r\n+OK\r\n", "", {}},
      {"a negative length", "$-2\r\n", "", {}},
      {"a type of RESP3", "%1\r\n+a\r\n+b\r\n", "", {}},
      {"nothing", "", "", {}},
      {"a redirection of a server that is no cluster",
       "-MOVED 1 127.0.0.1:1\r\n",
       "",
       {}},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const LyingServer server(row.text, row.rest, row.pause);
    RedisOptions options;
    options.servers = {server.address()};
    Redis redis(options);
    const auto begin = Monotonic::now();
    CHECK_FALSE(answers(redis, {"GET", "a"}));
    CHECK(Monotonic::now() - begin < kBudget + kLate);
  }
}

TEST_CASE("a cluster that lies is a fault", "[redis]") {
  ::signal(SIGPIPE, SIG_IGN);
  for (const std::string slots :
       {"*0\r\n", ":1\r\n", "*1\r\n*2\r\n:0\r\n:1\r\n", "*1\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n+redis.example\r\n:6379\r\n",
        "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n+127.0.0.1\r\n:-1\r\n",
        "*1\r\n*3\r\n:-5\r\n:99999999\r\n*2\r\n+127.0.0.1\r\n:1\r\n"}) {
    INFO(slots);
    const LyingServer server(slots, "", milliseconds(0));
    RedisOptions options;
    options.kind = RedisKind::cluster;
    options.servers = {server.address()};
    Redis redis(options);
    CHECK_FALSE(answers(redis, {"GET", "a"}));
  }
}

// ---- cluster

class Cluster {
 public:
  Cluster() {
    Strings command{"redis-cli", "--cluster", "create"};
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

TEST_CASE("in a cluster each key is asked for where it is", "[redis]") {
  if (!has_redis()) return;
  Cluster cluster;
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

  SECTION("a slot that is being migrated, and has moved") {
    const std::string key = "{moving}a", absent = "{moving}b";
    ask(redis, {"SET", key, "1"});
    const RedisServer& from = cluster.owner(key);
    const RedisServer& to = cluster.other(key);
    const std::string slot = std::to_string(redis_slot(key));
    to.ask({"CLUSTER", "SETSLOT", slot, "IMPORTING", Cluster::id(from)});
    from.ask({"CLUSTER", "SETSLOT", slot, "MIGRATING", Cluster::id(to)});
    // ASK, for a key that is not there any more.
    CHECK(ask(redis, {"SET", absent, "2"}).text() == "OK");
    CHECK(ask(redis, {"GET", key}).text() == "1");
    CHECK(ask(redis, {"GET", absent}).text() == "2");
    // TRYAGAIN until all keys are at one of them.
    std::thread migration([&] {
      std::this_thread::sleep_for(milliseconds(50));
      from.ask({"MIGRATE", "127.0.0.1", std::to_string(to.port()), key, "0", "5000"});
      to.ask({"CLUSTER", "SETSLOT", slot, "NODE", Cluster::id(to)});
      from.ask({"CLUSTER", "SETSLOT", slot, "NODE", Cluster::id(to)});
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
