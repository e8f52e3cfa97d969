// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/program/status.h"

#include <filesystem>
#include <string>
#include <thread>

#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A status server and the loop that its owner has.
class Daemon {
 public:
  explicit Daemon(std::string answer = "pong\n") : answer_(std::move(answer)) {}

  // Runs the loop until nothing is ready.
  void serve() {
    for (;;) {
      std::vector<pollfd> watched;
      server.watch(watched);
      if (::poll(watched.data(), watched.size(), 0) <= 0) return;
      for (const pollfd& one : watched) {
        if (one.revents != 0) server.on_ready(one, now);
      }
    }
  }
  Fd connect() const {
    return *connect_unix("ask", path, SOCK_STREAM, milliseconds(1000));
  }

  TempDirectory directory;
  const std::filesystem::path path = directory.path() / "status.sock";
  StatusServer::Instant now{};
  std::string asked;
  std::string answer_;
  StatusServer server{path, [this](std::string_view command) {
                        asked += std::string(command) + ";";
                        return answer_;
                      }};
};

// What the client can read now; "..." at the end if the connection goes on.
std::string read_now(const Fd& client) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::recv(client.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got == 0) return text;
    if (got < 0) return text + "...";
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

TEST_CASE("silent clients delay nobody", "[program]") {
  Daemon daemon;
  std::vector<Fd> silent;
  for (int i = 0; i < 10; ++i) silent.push_back(daemon.connect());
  const Fd client = daemon.connect();
  REQUIRE(send_all(client.get(), "ping\r\n"));
  daemon.serve();
  CHECK(read_now(client) == "pong\n");
  for (const Fd& one : silent) CHECK(read_now(one) == "...");
}

TEST_CASE("a command may come in pieces", "[program]") {
  Daemon daemon;
  const Fd client = daemon.connect();
  for (const char* piece : {"pi", "ng", "\nmore\n"}) {
    REQUIRE(send_all(client.get(), piece));
    daemon.serve();
  }
  CHECK(read_now(client) == "pong\n");
  CHECK(daemon.asked == "ping;");
}

TEST_CASE("a silent client is ended after a while, not before", "[program]") {
  Daemon daemon;
  const Fd client = daemon.connect();
  daemon.serve();
  daemon.now += StatusServer::kPatience - milliseconds(1);
  daemon.server.on_tick(daemon.now);
  CHECK(read_now(client) == "...");
  daemon.now += milliseconds(1);
  daemon.server.on_tick(daemon.now);
  CHECK(read_now(client) == "");
}

TEST_CASE("one client too many takes the place of the oldest", "[program]") {
  Daemon daemon;
  std::vector<Fd> silent;
  for (std::size_t i = 0; i < StatusServer::kMaxClients + 1; ++i) {
    silent.push_back(daemon.connect());
    daemon.serve();
  }
  CHECK(read_now(silent.front()) == "");
  for (std::size_t i = 1; i < silent.size(); ++i) CHECK(read_now(silent[i]) == "...");
}

TEST_CASE("a client that reads slowly gets its whole answer", "[program]") {
  const std::string large(5 << 20, 'x');
  Daemon daemon(large);
  const Fd client = daemon.connect();
  REQUIRE(send_all(client.get(), "metrics\n"));
  std::string got;
  while (got.size() < large.size()) {
    daemon.serve();
    const std::string more = read_now(client);
    REQUIRE_FALSE(more.empty());
    got += more.substr(0, more.find('.'));
  }
  CHECK(got == large);
  CHECK(daemon.asked == "metrics;");
}

TEST_CASE("a command without end is refused", "[program]") {
  Daemon daemon;
  const Fd client = daemon.connect();
  REQUIRE(send_all(client.get(), std::string(2000, 'x')));
  daemon.serve();
  CHECK(daemon.asked.empty());
  CHECK(::recv(client.get(), nullptr, 0, MSG_DONTWAIT) <= 0);
}

TEST_CASE("a socket that vanishes is bound again and counted", "[program]") {
  Daemon daemon;
  const Metric& restored = counter("mxfeed_sockets_restored_total", R"(socket="status")");
  const auto before = restored.value();
  daemon.server.restore();
  CHECK(restored.value() == before);
  std::filesystem::remove(daemon.path);
  daemon.server.restore();
  CHECK(restored.value() == before + 1);
  const Fd client = daemon.connect();
  REQUIRE(send_all(client.get(), "ping\n"));
  daemon.serve();
  CHECK(read_now(client) == "pong\n");
}

TEST_CASE("a successor keeps its socket", "[program]") {
  Daemon daemon;
  const UnixListener successor(daemon.path, SOCK_STREAM, 0600, 1);
  daemon.server.restore();
  CHECK(successor.is_at_path());
}

TEST_CASE("asking ends at its deadline and knows when nobody listens", "[program]") {
  Daemon daemon;
  CHECK_THROWS_AS(ask_status(daemon.path, "ping", milliseconds(10)), Fault);
  CHECK_THROWS_AS(ask_status(daemon.directory.path() / "none", "ping"), NobodyListens);
}

}  // namespace
}  // namespace mxfeed
