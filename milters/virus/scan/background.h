// SPDX-License-Identifier: GPL-2.0-or-later
//
// Work that must not take the processor from others: signatures are loaded while mail is
// scanned.

#pragma once

#include <chrono>
#include <functional>

namespace mxfeed::virus {

// Pauses in work that goes through much memory: even on a processor of its own it slows
// the others down, since it takes the cache and the memory's speed from them.
class Pauses {
 public:
  // The work runs for a quarter of the time.
  static constexpr int kRest = 3;
  static constexpr std::chrono::milliseconds kStint{5};

  // To be called often, by the thread that works: after a stint, sleeps three times as
  // long as that took of the processor.
  void take();

 private:
  std::chrono::nanoseconds worked_{0};  // of the thread, until the last pause
};

// Runs the work in a thread of the lowest priority and waits for it.  A process without
// privileges cannot raise its priority again, but the caller's was never lowered.
//
// The process begins a session of its own unless it leads one: where processes are
// scheduled by sessions (sched(7), autogroup), priorities count within a session only, so
// that of the session is lowered too, for ten seconds or until the work is done.
//
// Rethrows what the work throws.  When it returns, its thread has ended.
void run_in_background(const std::function<void()>& work);

}  // namespace mxfeed::virus
