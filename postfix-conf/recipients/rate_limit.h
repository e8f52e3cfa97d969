// SPDX-License-Identifier: GPL-2.0-or-later
//
// A token bucket: so many at once, then so many a second.

#pragma once

#include <algorithm>
#include <chrono>

namespace mxfeed::recipients {

// The time, of a steady clock, is passed in.
class RateLimit {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  RateLimit(double burst, double per_second, Instant now)
      : burst_(burst), per_second_(per_second), tokens_(burst), at_(now) {}

  // Whether one more is within the limit; if so it is counted.
  bool take(Instant now) {
    fill(now);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

  // Whether nothing was taken lately: a new one would do.
  bool is_idle(Instant now) {
    fill(now);
    return tokens_ >= burst_;
  }

 private:
  void fill(Instant now) {
    const std::chrono::duration<double> passed = now - at_;
    tokens_ = std::min(burst_, tokens_ + passed.count() * per_second_);
    at_ = now;
  }

  double burst_, per_second_, tokens_;
  Instant at_;
};

}  // namespace mxfeed::recipients
