// SPDX-License-Identifier: GPL-2.0-or-later
//
// The clocks of the host, and whether the time of day can be trusted.

#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/base/clock.h"

namespace mxfeed {

// The clocks at one moment.
struct HostClock {
  Time now{};                         // the time of day
  std::chrono::seconds since_boot{};  // not changed when the time of day is set
  std::string boot_id;                // another one after each start of the host
  bool is_synchronised = false;       // by NTP or the like (adjtimex(2))

  Time booted() const { return now - since_boot; }
};

// Throws Fault.
HostClock read_host_clock();
// The id alone.  Throws Fault.
std::string read_boot_id();

// What a run leaves for the next one, to find out whether the time of day was set.
struct ClockMark {
  Time now{};
  std::chrono::seconds since_boot{};
  std::string boot_id;
  // When it was set, since this boot; nothing if it was not.
  std::optional<std::chrono::seconds> stepped;

  bool operator==(const ClockMark&) const = default;
};

// A step of the time of day is more than that.  After it, expiry rests for a while.
inline constexpr std::chrono::seconds kClockStep{30};
inline constexpr std::chrono::minutes kClockRest{10};

// The mark to leave after `before`.
ClockMark next_mark(const std::optional<ClockMark>& before, const HostClock& clock);

// Why the time of day cannot be trusted; empty if it can.  `mark` is of `clock`.
std::string clock_obstacle(const ClockMark& mark, const HostClock& clock);

}  // namespace mxfeed
