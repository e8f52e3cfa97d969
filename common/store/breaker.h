// SPDX-License-Identifier: GPL-2.0-or-later
//
// A circuit breaker: after a number of faults in a row, the store is not used for a
// while.  So the timeout of a dead store is paid a few times, not for every message.

#pragma once

#include <chrono>
#include <mutex>

namespace mxfeed {

// Thread-safe.  The time, of a steady clock, is passed in.
class Breaker {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  Breaker(unsigned faults, std::chrono::milliseconds rest)
      : most_faults_(faults), rest_(rest) {}

  // Whether the store may be used now.
  bool allows(Instant now) const;

  void succeeded();
  // Returns whether a pause begins.  After a pause, the first fault begins the next one.
  bool failed(Instant now);

 private:
  const unsigned most_faults_;
  const std::chrono::milliseconds rest_;
  mutable std::mutex mutex_;
  unsigned faults_ = 0;  // in a row
  Instant closed_until_{};
};

}  // namespace mxfeed
