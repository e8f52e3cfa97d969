// SPDX-License-Identifier: GPL-2.0-or-later
//
// Time is passed in, never asked for inside a rule.

#pragma once

#include <chrono>
#include <functional>

namespace mxfeed {

using Time = std::chrono::sys_seconds;

// Tells the time of day; thread-safe.
using Clock = std::function<Time()>;

Time system_time();

}  // namespace mxfeed
