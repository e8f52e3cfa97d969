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
#include <string>
#include <thread>

#include "common/base/file.h"
#include "common/base/thread.h"

namespace mxfeed::virus {
namespace {

constexpr int kLowest = 19;
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
  std::exception_ptr failure;
  std::thread thread = start_thread([&] {
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kLowest);
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  });
  set_nice_of_session(kLowest);
  thread.join();
  set_nice_of_session(0);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace mxfeed::virus
