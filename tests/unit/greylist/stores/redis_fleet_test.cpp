// SPDX-License-Identifier: GPL-2.0-or-later
//
// The greylist's stores while the Redis that they share is in trouble, with other threads
// that decide all the time.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "milters/greylist/stores/guarded_store.h"
#include "milters/greylist/stores/redis.h"
#include "milters/greylist/stores/shared_store.h"
#include "tests/support/catch.h"
#include "tests/support/redis_fleet.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Instant = std::chrono::steady_clock;

constexpr milliseconds kBudget{300};
// A test's machine may be busy.
constexpr milliseconds kLate{700};

constexpr Time at(std::int64_t s) {
  return Time{seconds{s}};
}

Keys keys(const std::string& name) {
  const Identity network{IdentityKind::network, "192.0.2.0/24"};
  // The scope, so the slot, is the sender's domain.
  return keys_of({network, network, "192.0.2.7", {}}, "a@" + name + ".example",
                 {"info", "acme.example"}, "acme.example");
}

// A gateway whose threads decide on new senders until it ends.
class Gateway {
 public:
  Gateway(const RedisOptions& options, std::string name) : name_(std::move(name)) {
    store_.use(
        "redis",
        [options, file = directory_.path() / "own.db"] {
          return share_store(open_redis_store(options, "test", [] { return at(1000); }),
                             open_sqlite_store(file));
        },
        kBudget);
    for (int i = 0; i < 4; ++i) {
      threads_.emplace_back([this, i] { run(i); });
    }
  }
  ~Gateway() { stop(); }
  void stop() {
    stopped_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

  std::optional<Decision> ask(const std::string& sender, int when) {
    const auto begin = Instant::now();
    auto decision = store_.update(
        keys(sender), [&](const Look& look) { return decide(look, at(when), Terms{}); });
    const auto took =
        std::chrono::duration_cast<milliseconds>(Instant::now() - begin).count();
    for (auto most = longest_.load(); took > most;) {
      if (longest_.compare_exchange_weak(most, took)) break;
    }
    if (!decision) undecided_ += 1;
    decisions_ += 1;
    return decision;
  }

  // Until some more decisions have been made.
  void go_on() {
    const auto now = decisions_.load();
    wait_until([&] { return decisions_ > now + 50; }, "decisions go on");
  }
  milliseconds longest() const { return milliseconds(longest_); }
  unsigned undecided() const { return undecided_; }

 private:
  void run(int thread) {
    for (int i = 0; !stopped_; ++i) ask(fmt::format("{}{}x{}", name_, thread, i), 1000);
  }

  const std::string name_;
  const TempDirectory directory_;
  GuardedStore store_{directory_.path()};
  std::atomic<bool> stopped_{false};
  std::atomic<long> longest_{0};
  std::atomic<unsigned> undecided_{0}, decisions_{0};
  std::vector<std::thread> threads_;
};

// What one gateway learns before and after the trouble the other one knows.
void check_under_load(const RedisOptions& options, const std::function<void()>& trouble) {
  Gateway one(options, "o"), other(options, "p");
  one.go_on();
  const auto outcome = [](const std::optional<Decision>& decision) {
    return decision ? decision->outcome : Outcome::flood;
  };
  // On a busy machine Redis may not answer in time, so that the other one does not know.
  std::string probe;
  int probes = 0;
  const auto tells = [&](Gateway& from, Gateway& to) {
    probe = fmt::format("probe{}", ++probes);
    from.ask(probe, 1000);
    return outcome(to.ask(probe, 1001)) == Outcome::too_early;
  };
  wait_until([&] { return tells(one, other); }, "both use Redis");
  const std::string before = probe;
  trouble();
  one.go_on();
  other.go_on();
  one.stop();
  other.stop();
  wait_until([&] { return tells(one, other) && tells(other, one); },
             "both use Redis again");
  CHECK(outcome(other.ask(before, 1180)) == Outcome::passed);
  CHECK(outcome(one.ask(before, 1181)) == Outcome::known);
  CHECK(outcome(other.ask("after", 1000)) == Outcome::first_seen);
  CHECK(outcome(one.ask("after", 1180)) == Outcome::passed);
  for (const Gateway* gateway : {&one, &other}) {
    CHECK(gateway->longest() <= kBudget + kLate);
    // Its own database decides when Redis does not.
    CHECK(gateway->undecided() == 0);
  }
}

TEST_CASE("a failover of Redis loses no decision and delays none", "[greylist]") {
  if (!has_redis()) return;
  ReplicatedRedis set;
  check_under_load(set.options(), [&] { set.fail_over(); });
}

TEST_CASE("a slot of a cluster moves while decisions go on", "[greylist]") {
  if (!has_redis()) return;
  RedisCluster cluster;
  check_under_load(cluster.options(), [&] {
    for (const char* scope : {"probe1.example", "after.example"}) {
      cluster.move_slot_of(fmt::format("{{{}}}", scope));
    }
  });
}

TEST_CASE("Redis hangs and comes back while decisions go on", "[greylist]") {
  if (!has_redis()) return;
  const RedisServer server = RedisServer::on_socket();
  RedisOptions options;
  options.servers = {server.address()};
  check_under_load(options, [&] {
    server.hang();
    // Longer than a decision waits.
    const auto end = Instant::now() + 2 * kBudget;
    wait_until([&] { return Instant::now() > end; }, "it hangs");
    server.go_on();
  });
}

TEST_CASE("Redis is killed and starts empty while decisions go on", "[greylist]") {
  if (!has_redis()) return;
  RedisServer server = RedisServer::on_socket();
  RedisOptions options;
  options.servers = {server.address()};
  Gateway one(options, "o");
  one.go_on();
  CHECK(one.ask("before", 1000)->outcome == Outcome::first_seen);
  server.stop();
  one.go_on();
  server.start();
  one.go_on();
  // Its own database has it.
  CHECK(one.ask("before", 1180)->outcome == Outcome::passed);
  one.stop();
  CHECK(one.longest() <= kBudget + kLate);
  CHECK(one.undecided() == 0);
}

}  // namespace
}  // namespace mxfeed::greylist
