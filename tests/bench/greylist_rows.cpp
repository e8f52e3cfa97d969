// SPDX-License-Identifier: GPL-2.0-or-later
//
// bench_greylist_rows [ROWS]: the greylist's SQLite store with ten million rows: its size
// on disk, the time of decisions on known and on new senders from 10 threads, and how
// long a decision takes at most while a sweep runs.  In $TMPDIR, or /var/tmp.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "common/base/text.h"
#include "milters/greylist/stores/sqlite_file.h"
#include "milters/greylist/stores/store.h"
#include "tests/bench/greylist_senders.h"

namespace {

using namespace mxfeed;
using namespace mxfeed::greylist;
using SteadyTime = std::chrono::steady_clock;

constexpr unsigned kThreads = 10;
constexpr unsigned kDecisions = 5'000;  // of each thread
constexpr std::chrono::milliseconds kBetween{2};

double microseconds(SteadyTime::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

void fill(const std::filesystem::path& file, std::uint64_t rows, Time now) {
  const auto database =
      open_records(file, Sqlite::Access::read_write, std::chrono::seconds(1));
  RecordTable table(*database);
  constexpr std::uint64_t kAtOnce = 10'000;
  for (std::uint64_t first = 0; first < rows; first += kAtOnce) {
    SqliteTransaction transaction(*database);
    for (auto i = first; i < std::min(rows, first + kAtOnce); ++i) {
      // One in twenty has expired.
      const Time seen = now - std::chrono::seconds(i % 20 == 0 ? 4'000'000 : 1000);
      table.write(keys_of_sender(i).at(Slot::network_passed),
                  {seen, seen, seen + std::chrono::seconds(3'110'400), 1});
    }
    transaction.commit();
  }
  database->checkpoint();
}

void report(const char* what, std::vector<double>& times) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
  };
  fmt::print("{:<28} p50 {:7.1f} us   p99 {:7.1f} us   longest {:9.1f} us\n", what,
             at(0.5), at(0.99), times.back());
}

std::vector<double> decide_all(Store& store, std::uint64_t first, std::uint64_t senders,
                               Time now) {
  std::vector<std::vector<double>> times(kThreads);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      for (unsigned i = 0; i < kDecisions; ++i) {
        const Keys keys = keys_of_sender(first + random() % senders);
        std::this_thread::sleep_for(kBetween);
        const auto begin = SteadyTime::now();
        store.update(
            keys, [&](const Look& look) { return decide(look, now, Terms{}); },
            begin + std::chrono::seconds(5));
        times[t].push_back(microseconds(SteadyTime::now() - begin));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::vector<double> all;
  for (const auto& one : times) all.insert(all.end(), one.begin(), one.end());
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const auto rows = parse_unsigned(argc > 1 ? argv[1] : "10000000").value_or(10'000'000);
  const char* const where = std::getenv("TMPDIR");
  std::string directory =
      std::string(where != nullptr ? where : "/var/tmp") + "/mxfeed-bench.XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  const auto file = std::filesystem::path(directory) / "greylist.db";
  const Time now = system_time();
  fill(file, rows, now);
  const auto size = std::filesystem::file_size(file);
  fmt::print("{} rows, {} bytes, {:.1f} a row\n", rows, size,
             static_cast<double>(size) / static_cast<double>(rows));

  const auto store = open_sqlite_store(file);
  decide_all(*store, 0, rows, now);  // the cache is warm
  auto known = decide_all(*store, 0, rows, now);
  report("known senders", known);
  auto unknown = decide_all(*store, rows, rows, now);
  report("new senders", unknown);

  std::atomic<bool> is_over{false};
  std::vector<double> sweeps;
  std::thread sweeper([&] {
    while (!is_over) {
      const auto begin = SteadyTime::now();
      store->sweep(now);
      sweeps.push_back(microseconds(SteadyTime::now() - begin));
    }
  });
  auto during = decide_all(*store, 0, rows, now);
  is_over = true;
  sweeper.join();
  report("known, while sweeping", during);
  report("a sweep", sweeps);
  std::filesystem::remove_all(directory);
}
