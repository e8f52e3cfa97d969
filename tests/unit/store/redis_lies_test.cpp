// SPDX-License-Identifier: GPL-2.0-or-later
//
// Servers that do not keep to the protocol.
#include <signal.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "common/base/file.h"
#include "common/base/unix_socket.h"
#include "tests/support/catch.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/store/redis_asking.h"

namespace mxfeed {
namespace {

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

}  // namespace
}  // namespace mxfeed
