// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether sessions wait for others that are blocked: holds BLOCKED sessions of a milter
// in a step that takes it seconds, and meanwhile lets PROBES others connect at one
// moment, again and again.  Prints what the waits of these were, in milliseconds.
//
//   stall PATH end|rcpt BLOCKED PROBES SAMPLES BLOCKED-RCPT PROBE-RCPT
//
// PATH is the milter's unix socket.  The blocked ones are in the end of a message (end)
// or in a recipient (rcpt).  It ends when there are SAMPLES waits for a connection
// (connect, negotiation) and as many for the recipient PROBE-RCPT.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/text.h"
#include "tests/bench/milter_client.h"

namespace mxfeed {
namespace {

using bench::Clock, bench::milliseconds_since, bench::MilterClient, bench::percentile;
using std::chrono::microseconds;
using std::chrono::milliseconds;

// Bursts while the others are blocked, and the time between them: what a later one does
// may wake a session of an earlier one.
constexpr int kBursts = 5;
constexpr milliseconds kBetween{500};
constexpr microseconds kSpread{2000};  // of one burst

struct Plan {
  std::string path;
  bool at_end;
  unsigned blocked, probes, samples;
  std::string blocked_rcpt, probe_rcpt;
};

class Stall {
 public:
  explicit Stall(Plan plan)
      : plan_(std::move(plan)), round_(plan_.blocked + plan_.probes) {}

  // Returns the exit status.
  int run() {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < plan_.blocked; ++i) {
      threads.emplace_back([this] { guard([this] { block(); }); });
    }
    for (unsigned i = 0; i < plan_.probes; ++i) {
      threads.emplace_back([this, i] { guard([this, i] { probe(i); }); });
    }
    threads.clear();
    if (!trouble_.empty()) {
      fmt::print(stderr, "stall: {}\n", trouble_);
      return 1;
    }
    print("connect", connects_);
    print("rcpt", recipients_);
    std::ranges::sort(blocks_);
    fmt::print("  blocked for {:.0f} ms to {:.0f} ms\n", blocks_.front(), blocks_.back());
    return 0;
  }

 private:
  template <typename Work>
  void guard(const Work& work) {
    try {
      work();
    } catch (const Fault& fault) {
      const std::lock_guard lock(mutex_);
      trouble_ = fault.what();
      enough_ = true;
    }
    round_.arrive_and_drop();
  }

  void block() {
    MilterClient client(plan_.path);
    for (;;) {
      client.mail();
      if (plan_.at_end) {
        client.recipient(plan_.blocked_rcpt);
        client.content();
      }
      round_.arrive_and_wait();
      const double took =
          plan_.at_end ? client.end() : client.recipient(plan_.blocked_rcpt);
      if (!plan_.at_end) client.abort();
      {
        const std::lock_guard lock(mutex_);
        blocks_.push_back(took);
      }
      round_.arrive_and_wait();
      if (enough_) return;
    }
  }

  void probe(unsigned number) {
    const bool reconnects = number % 2 == 0;
    std::mt19937 random(number);
    std::uniform_int_distribution<int> spread(0, kSpread.count());
    auto client = std::make_unique<MilterClient>(plan_.path);
    for (;;) {
      round_.arrive_and_wait();
      const auto start = Clock::now();
      for (int burst = 0; burst < kBursts; ++burst) {
        std::this_thread::sleep_until(start + burst * kBetween +
                                      microseconds(spread(random)));
        std::optional<double> connect;
        if (reconnects) {
          client.reset();
          const auto begin = Clock::now();
          client = std::make_unique<MilterClient>(plan_.path);
          connect = milliseconds_since(begin);
        }
        client->mail();
        const double recipient = client->recipient(plan_.probe_rcpt);
        client->abort();
        const std::lock_guard lock(mutex_);
        if (connect) connects_.push_back(*connect);
        recipients_.push_back(recipient);
        if (connects_.size() >= plan_.samples) enough_ = true;
      }
      round_.arrive_and_wait();
      if (enough_) return;
    }
  }

  static void print(std::string_view name, std::vector<double>& waits) {
    std::ranges::sort(waits);
    const auto late = std::ranges::count_if(waits, [](double wait) { return wait > 50; });
    fmt::print("  {:8} {} samples, p50 {:.1f} p99 {:.1f} max {:.1f} ms, {} over 50 ms\n",
               name, waits.size(), percentile(waits, 0.5), percentile(waits, 0.99),
               percentile(waits, 1), late);
  }

  const Plan plan_;
  std::barrier<> round_;
  std::atomic<bool> enough_{false};
  std::mutex mutex_;
  std::vector<double> connects_, recipients_, blocks_;
  std::string trouble_;
};

}  // namespace
}  // namespace mxfeed

int main(int argc, char** argv) {
  const auto number = [&](int i) {
    return static_cast<unsigned>(
        (argc == 8 ? mxfeed::parse_unsigned(argv[i]) : std::nullopt).value_or(0));
  };
  const std::string_view step = argc == 8 ? argv[2] : "";
  if ((step != "end" && step != "rcpt") || number(3) == 0 || number(4) == 0 ||
      number(5) == 0) {
    fmt::print(stderr,
               "usage: stall PATH end|rcpt BLOCKED PROBES SAMPLES BLOCKED-RCPT "
               "PROBE-RCPT\n");
    return 2;
  }
  return mxfeed::Stall(
             {argv[1], step == "end", number(3), number(4), number(5), argv[6], argv[7]})
      .run();
}
