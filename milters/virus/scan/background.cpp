// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/background.h"

#include <fcntl.h>
#include <signal.h>
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

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/thread.h"

namespace mxfeed::virus {
namespace {

constexpr int kLowest = 19;
// Of the session: work on a host that is busy all the time must end, too.
constexpr int kLow = 10;
constexpr std::chrono::seconds kModest{60};  // then the session is like any other

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

constexpr timespec timespec_of(std::chrono::milliseconds time) {
  return {0, std::chrono::nanoseconds(time).count()};
}

void rest(int) {
  const int saved = errno;
  const timespec time = timespec_of(kRest);
  ::nanosleep(&time, nullptr);
  errno = saved;
}

// While it lives, the calling thread rests after each stint.
class Rests {
 public:
  Rests() {
    struct sigaction action {};
    action.sa_handler = rest;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGRTMIN, &action, nullptr);
    set_blocked(SIG_UNBLOCK);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGRTMIN;
    event._sigev_un._tid = ::gettid();
    if (::timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer_) != 0) {
      throw Fault("work in the background", "timer", errno_text(errno));
    }
    const itimerspec stints{timespec_of(kStint), timespec_of(kStint)};
    ::timer_settime(timer_, 0, &stints, nullptr);
  }
  ~Rests() {
    ::timer_delete(timer_);
    set_blocked(SIG_BLOCK);
  }
  Rests(const Rests&) = delete;
  Rests& operator=(const Rests&) = delete;

 private:
  static void set_blocked(int how) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    ::pthread_sigmask(how, &set, nullptr);
  }

  timer_t timer_{};
};

}  // namespace

void leave_the_processor() {
  ::setsid();
  ::setpriority(PRIO_PROCESS, 0, kLowest);
  set_nice_of_session(kLowest);
}

void run_in_background(const std::function<void()>& work) {
  ::setsid();
  std::promise<void> done;
  auto outcome = done.get_future();
  std::thread thread = start_thread([&] {
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kLowest);
    try {
      const Rests rests;
      work();
      done.set_value();
    } catch (...) {
      done.set_exception(std::current_exception());
    }
  });
  set_nice_of_session(kLow);
  if (outcome.wait_for(kModest) == std::future_status::timeout) set_nice_of_session(0);
  thread.join();
  outcome.get();
}

void leave_the_background() {
  set_nice_of_session(0);
}

}  // namespace mxfeed::virus
