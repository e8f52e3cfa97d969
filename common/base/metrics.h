// SPDX-License-Identifier: GPL-2.0-or-later
//
// Counters and gauges of a daemon, shown on its status socket in the Prometheus text
// format.  Their names are listed in the daemon's man page.

#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace mxfeed {

class Metric {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  void subtract(std::uint64_t n = 1) { value_.fetch_sub(n, std::memory_order_relaxed); }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Finds or makes the metric; the reference stays valid for the life of the process.
// `labels` is ready for the text format: action="defer",reason="too-early".  Names and
// labels come from our own code only, so their number is bounded.  Takes a lock, so busy
// code keeps the reference.
Metric& counter(std::string_view name, std::string_view labels = "");
Metric& gauge(std::string_view name, std::string_view labels = "");

// All of them in the Prometheus text exposition format.
std::string render_metrics();

}  // namespace mxfeed
