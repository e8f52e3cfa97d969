// SPDX-License-Identifier: GPL-2.0-or-later
//
// bench_greylist_store STORE FILE SOCKET KIND THREADS DECISIONS SENDERS FIRST: how fast a
// store of the greylist decides; tests/bench/greylist_store runs it.
//
// STORE is "sqlite"; "bare", the same reads and writes of the same file by SQLite alone;
// "redis"; or "shared", Redis with a SQLite file of this host's own.  KIND is "fill",
// which lets SENDERS senders pass; "known", whose decisions are on these; or "new", whose
// senders have numbers from FIRST.  Prints the seconds and CPU seconds of DECISIONS
// decisions and the microseconds of the median one, as JSON.  Names, digests and threads
// are made before.

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/base/text.h"
#include "milters/greylist/stores/redis.h"
#include "milters/greylist/stores/shared_store.h"
#include "milters/greylist/stores/store.h"
#include "tests/bench/bare_sqlite.h"
#include "tests/bench/greylist_senders.h"

namespace {

using namespace mxfeed;
using namespace mxfeed::greylist;
using SteadyTime = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr unsigned kFillers = 10;

enum class Kind { fill, known, fresh };

struct Arguments {
  std::string store, file, socket;
  Kind kind;
  std::uint64_t threads, decisions, senders, first;
};

Deadline soon() {
  return SteadyTime::now() + seconds(5);
}

std::unique_ptr<Store> open(const Arguments& arguments) {
  if (arguments.store == "sqlite") return open_sqlite_store(arguments.file);
  const auto address = RedisAddress::parse("unix:" + arguments.socket);
  if (!address) throw Fault("open store", arguments.socket, "not a socket");
  RedisOptions options;
  options.servers = {*address};
  auto redis = open_redis_store(options, arguments.store);
  if (arguments.store == "redis") return redis;
  return share_store(std::move(redis), open_sqlite_store(arguments.file));
}

std::vector<Keys> keys_for(const Arguments& arguments, std::uint64_t count) {
  std::mt19937_64 random(arguments.first);
  std::vector<Keys> keys;
  keys.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    keys.push_back(keys_of_sender(arguments.kind == Kind::known
                                      ? random() % arguments.senders
                                      : arguments.first + i));
  }
  return keys;
}

// Of the whole process: also what commits in the background.
double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

class Watch {
 public:
  explicit Watch(std::uint64_t decisions) : times_(decisions) {}

  void start() {
    cpu_ = cpu_seconds();
    begin_ = SteadyTime::now();
  }
  // One decision; in any thread.
  template <typename Decide>
  void time(std::uint64_t i, const Decide& decide) {
    const auto begin = SteadyTime::now();
    decide();
    times_[i] = SteadyTime::now() - begin;
  }
  void stop() { seconds_ = SteadyTime::now() - begin_; }
  // Later than stop() if something is still to be written.
  void print() {
    const double cpu = cpu_seconds() - cpu_;
    const auto middle = times_.begin() + static_cast<std::ptrdiff_t>(times_.size() / 2);
    std::nth_element(times_.begin(), middle, times_.end());
    fmt::print("{{\"seconds\": {:.6f}, \"cpu_seconds\": {:.6f}, \"p50_us\": {:.1f}}}\n",
               seconds_.count(), cpu, middle->count());
  }

 private:
  std::vector<std::chrono::duration<double, std::micro>> times_;
  double cpu_ = 0;
  SteadyTime::time_point begin_;
  std::chrono::duration<double> seconds_{};
};

// They have waited, so each has the records of one that has passed once.
void fill(Store& store, const Arguments& arguments) {
  const Time now = system_time();
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kFillers; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = t; i < arguments.senders; i += kFillers) {
        const Keys keys = keys_of_sender(i);
        for (const seconds ago : {seconds(1000), seconds(500)}) {
          store.update(
              keys, [&](const Look& look) { return decide(look, now - ago, Terms{}); },
              soon());
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

void decide_one(Store& store, const Keys& keys, Time now, Outcome expected) {
  const auto decision = store.update(
      keys, [&](const Look& look) { return decide(look, now, Terms{}); }, soon());
  if (decision.outcome == expected) return;
  fmt::print(stderr, "a sender is not as it should be\n");
  std::_Exit(1);
}

void measure(Store& store, const Arguments& arguments) {
  const Time now = system_time();
  const Outcome expected =
      arguments.kind == Kind::known ? Outcome::known : Outcome::first_seen;
  // A tenth before, so that caches are warm and connections open.
  const std::uint64_t warm = arguments.decisions / 10;
  const auto keys = keys_for(arguments, warm + arguments.decisions);
  const auto share = [&](std::uint64_t thread) {
    return warm + arguments.decisions * thread / arguments.threads;
  };
  Watch watch(arguments.decisions);
  std::latch is_warm(static_cast<std::ptrdiff_t>(arguments.threads) + 1), start(1);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < arguments.threads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = t; i < warm; i += arguments.threads) {
        decide_one(store, keys[i], now, expected);
      }
      is_warm.count_down();
      start.wait();
      for (auto i = share(t); i < share(t + 1); ++i) {
        watch.time(i - warm, [&] { decide_one(store, keys[i], now, expected); });
      }
    });
  }
  is_warm.arrive_and_wait();
  store.flush(soon());
  watch.start();
  start.count_down();
  for (auto& thread : threads) thread.join();
  watch.stop();
  store.flush(soon());
  if (counter("mxfeed_greylist_redis_faults_total").value() != 0) {
    throw Fault("measure store", arguments.store, "Redis has not answered");
  }
  watch.print();
}

// What the store is asked for in one decision.
struct BareWork {
  std::vector<std::string> reads;
  std::vector<BareRow> writes;
};

BareWork bare_work(const Keys& keys, Time now, Kind kind) {
  BareWork work;
  const auto decision = decide(
      [&](Slot slot) -> std::optional<Record> {
        work.reads.push_back(keys.at(slot).digest);
        const bool is_there = kind == Kind::known && slot != Slot::network_waiting;
        if (!is_there) return std::nullopt;
        return Record{now - seconds(1000), now - seconds(500), now + seconds(1000), 1};
      },
      now, Terms{});
  const auto number = [](Time time) { return time.time_since_epoch().count(); };
  for (const Change& change : decision.changes) {
    const Key& key = keys.at(change.slot);
    const Record& record = change.record.value();
    work.writes.push_back(
        {key.digest,
         static_cast<int>(key.about) + 8 * static_cast<std::int64_t>(key.identity.kind),
         key.identity.text, key.domain, number(record.first_seen),
         number(record.last_seen), number(record.expires), record.passes});
  }
  return work;
}

void measure_bare(const Arguments& arguments) {
  const Time now = system_time();
  const std::uint64_t warm = arguments.decisions / 10;
  std::vector<BareWork> works;
  for (const Keys& keys : keys_for(arguments, warm + arguments.decisions)) {
    works.push_back(bare_work(keys, now, arguments.kind));
  }
  BareSqlite database(arguments.file);
  const auto run = [&](const BareWork& work) {
    database.begin();
    for (const auto& digest : work.reads) {
      if (database.read(digest) == (arguments.kind == Kind::known)) continue;
      throw Fault("measure SQLite", arguments.file, "a row is not as it should be");
    }
    for (const auto& row : work.writes) database.write(row);
    database.commit();
  };
  for (std::uint64_t i = 0; i < warm; ++i) run(works[i]);
  Watch watch(arguments.decisions);
  watch.start();
  for (auto i = warm; i < works.size(); ++i) {
    watch.time(i - warm, [&] { run(works[i]); });
  }
  watch.stop();
  watch.print();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view kind = argc == 9 ? argv[4] : "";
  if (kind != "fill" && kind != "known" && kind != "new") {
    fmt::print(stderr, "usage: see the first comment of greylist_store.cpp\n");
    return 2;
  }
  const auto number = [&](int i) { return parse_unsigned(argv[i]).value_or(1); };
  const Arguments arguments{
      argv[1],
      argv[2],
      argv[3],
      kind == "fill" ? Kind::fill : kind == "known" ? Kind::known : Kind::fresh,
      number(5),
      number(6),
      number(7),
      number(8)};
  try {
    if (arguments.store == "bare") {
      measure_bare(arguments);
      return 0;
    }
    const auto store = open(arguments);
    if (arguments.kind == Kind::fill) {
      fill(*store, arguments);
    } else {
      measure(*store, arguments);
    }
  } catch (const Fault& fault) {
    fmt::print(stderr, "{}\n", fault.what());
    return 1;
  }
}
