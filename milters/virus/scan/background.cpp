// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/background.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <exception>
#include <future>
#include <string>
#include <thread>

#include "common/base/file.h"
#include "common/base/thread.h"

namespace mxfeed::virus {
namespace {

constexpr int kLowest = 19;
// Of the session: work on a host that is busy all the time must end, too.
constexpr int kLow = 10;
constexpr std::chrono::seconds kModest{10};  // then the session is like any other
constexpr std::chrono::seconds kLongest{1};  // pause

// Without autogroups there is no such file.  The kernel takes one change in a tenth of a
// second from all processes without privileges.
void set_nice_of_session(int nice) {
  const Fd file(::open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC));
  if (!file) return;
  const std::string text = std::to_string(nice);
  for (int i = 0; i < 100; ++i) {
    if (::write(file.get(), text.data(), text.size()) >= 0 || errno != EAGAIN) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::chrono::nanoseconds time_of_thread() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

void Pauses::take() {
  const auto now = time_of_thread();
  const auto stint = now - worked_;
  if (worked_ != std::chrono::nanoseconds(0) && stint < kStint) return;
  worked_ = now;
  std::this_thread::sleep_for(
      std::min<std::chrono::nanoseconds>(stint * kRest, kLongest));
}

void run_in_background(const std::function<void()>& work) {
  ::setsid();
  std::promise<void> done;
  auto outcome = done.get_future();
  std::thread thread = start_thread([&] {
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kLowest);
    try {
      work();
      done.set_value();
    } catch (...) {
      done.set_exception(std::current_exception());
    }
  });
  set_nice_of_session(kLow);
  if (outcome.wait_for(kModest) == std::future_status::timeout) set_nice_of_session(0);
  thread.join();
  set_nice_of_session(0);
  outcome.get();
}

}  // namespace mxfeed::virus
