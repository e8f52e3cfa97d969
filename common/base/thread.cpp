// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/thread.h"

#include <signal.h>

#include <system_error>
#include <utility>

namespace mxfeed {

std::thread start_thread(std::function<void()> run) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread thread(std::move(run));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
  } catch (const std::system_error&) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
}

}  // namespace mxfeed
