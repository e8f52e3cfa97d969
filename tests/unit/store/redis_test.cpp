// SPDX-License-Identifier: GPL-2.0-or-later
//
// Against real servers, which the tests start.
#include "common/store/redis.h"

#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/store/redis_asking.h"

namespace mxfeed {
namespace {

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
  // Slots matter in a cluster only.
  CHECK(ask_script(redis, script, {"a", "b"}, {""}).list().size() == 3);
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

}  // namespace
}  // namespace mxfeed
