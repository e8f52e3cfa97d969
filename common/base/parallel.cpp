// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace mxfeed {

void for_each_on_all_cores(std::size_t count,
                           const std::function<void(std::size_t)>& work,
                           const std::function<void(std::size_t)>& done) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> finished{0};
  std::mutex mutex;
  std::exception_ptr thrown;  // under mutex
  const auto run = [&](bool is_caller) {
    try {
      for (std::size_t i = next++; i < count; i = next++) {
        work(i);
        const std::size_t so_far = ++finished;
        if (is_caller && done) done(so_far);
      }
    } catch (...) {
      next = count;
      const std::lock_guard lock(mutex);
      thrown = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  try {
    while (threads.size() + 1 < std::min(cores, count)) threads.emplace_back(run, false);
  } catch (const std::system_error&) {
    // The threads that could be started do all the work.
  }
  run(true);
  for (auto& thread : threads) thread.join();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace mxfeed
