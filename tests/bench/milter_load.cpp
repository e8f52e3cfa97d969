// SPDX-License-Identifier: GPL-2.0-or-later
//
// Drives a milter without a mail server in between, over many connections at once, and
// prints one line of JSON: transactions a second, and what the waits for its answers were
// (negotiation, one recipient, end of message), in milliseconds.
//
//   milter_load PATH SESSIONS TRANSACTIONS [together]
//
// PATH is the milter's unix socket; TRANSACTIONS are for each session.  With "together"
// all sessions enter their ends of message at one moment, which shows whether sessions
// wait for one another.

#include <fmt/format.h>

#include <algorithm>
#include <barrier>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/text.h"
#include "tests/bench/milter_client.h"

namespace mxfeed {
namespace {

using bench::Clock, bench::milliseconds_since, bench::MilterClient, bench::percentile;

int run(const std::string& path, unsigned sessions, unsigned transactions,
        bool together) {
  std::mutex mutex;
  std::vector<double> open, rcpt, end;
  std::string trouble;
  std::barrier barrier(sessions);
  std::vector<std::thread> threads;
  const auto start = Clock::now();
  for (unsigned i = 0; i < sessions; ++i) {
    threads.emplace_back([&] {
      std::vector<double> my_rcpt, my_end;
      double my_open = 0;
      try {
        const auto opened = Clock::now();
        MilterClient session(path);
        my_open = milliseconds_since(opened);
        for (unsigned n = 0; n < transactions; ++n) {
          session.mail();
          my_rcpt.push_back(session.recipient("b@acme.example"));
          session.content();
          if (together) barrier.arrive_and_wait();
          my_end.push_back(session.end());
        }
      } catch (const Fault& fault) {
        const std::lock_guard lock(mutex);
        trouble = fault.what();
      }
      if (together) barrier.arrive_and_drop();
      const std::lock_guard lock(mutex);
      open.push_back(my_open);
      rcpt.insert(rcpt.end(), my_rcpt.begin(), my_rcpt.end());
      end.insert(end.end(), my_end.begin(), my_end.end());
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = milliseconds_since(start) / 1000;
  if (!trouble.empty()) {
    fmt::print(stderr, "milter_load: {}\n", trouble);
    return 1;
  }
  std::ranges::sort(open);
  std::ranges::sort(rcpt);
  std::ranges::sort(end);
  const auto spread = [](std::string_view name, const std::vector<double>& sorted) {
    return fmt::format("\"{0}_p50\": {1:.3f}, \"{0}_p99\": {2:.3f}, \"{0}_max\": {3:.3f}",
                       name, percentile(sorted, 0.5), percentile(sorted, 0.99),
                       percentile(sorted, 1));
  };
  fmt::print("{{\"per_second\": {:.0f}, {}, {}, {}}}\n", double(end.size()) / seconds,
             spread("open", open), spread("rcpt", rcpt), spread("end", end));
  return 0;
}

}  // namespace
}  // namespace mxfeed

int main(int argc, char** argv) {
  const auto sessions = argc > 2 ? mxfeed::parse_unsigned(argv[2]) : std::nullopt;
  const auto transactions = argc > 3 ? mxfeed::parse_unsigned(argv[3]) : std::nullopt;
  const bool together = argc == 5 && std::string_view(argv[4]) == "together";
  if (!sessions || !transactions || argc > 5 || (argc == 5 && !together)) {
    fmt::print(stderr, "usage: milter_load PATH SESSIONS TRANSACTIONS [together]\n");
    return 2;
  }
  return mxfeed::run(argv[1], static_cast<unsigned>(*sessions),
                     static_cast<unsigned>(*transactions), together);
}
