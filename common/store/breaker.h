// SPDX-License-Identifier: GPL-2.0-or-later
//
// A circuit breaker: after some faults in a row the thing behind it is left alone for a
// while, so that a dead store costs its timeout a few times and not for every mail.

#pragma once

#include <chrono>
#include <mutex>

namespace mxfeed {

// Thread-safe.  The time is that of a steady clock, passed in.
class Breaker {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  Breaker(unsigned faults, std::chrono::milliseconds rest)
      : most_faults_(faults), rest_(rest) {}

  // Whether the thing may be used now.
  bool allows(Instant now) const;

  void succeeded();
  // After a rest the first fault begins the next one.  Returns whether a rest begins.
  bool failed(Instant now);

 private:
  const unsigned most_faults_;
  const std::chrono::milliseconds rest_;
  mutable std::mutex mutex_;
  unsigned faults_ = 0;  // in a row
  Instant closed_until_{};
};

}  // namespace mxfeed
