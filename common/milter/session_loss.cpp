// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/session_loss.h"

#include <array>
#include <chrono>
#include <mutex>
#include <new>
#include <optional>
#include <string>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"

namespace mxfeed {
namespace {

using std::chrono::steady_clock;

constexpr auto kBurst = std::chrono::seconds(10);

// Losses of one kind that are not yet logged.
class Burst {
 public:
  // Counts one more; returns the number to log now, or 0.
  unsigned add(steady_clock::time_point now) {
    const std::lock_guard lock(mutex_);
    ++count_;
    if (logged_ && now - *logged_ < kBurst) return 0;
    logged_ = now;
    const unsigned count = count_;
    count_ = 0;
    return count;
  }

 private:
  std::mutex mutex_;
  unsigned count_ = 0;
  std::optional<steady_clock::time_point> logged_;
};

Burst& burst_of(SessionLoss loss) {
  static std::array<Burst, kSessionLosses> bursts;
  return bursts.at(static_cast<std::size_t>(loss));
}

}  // namespace

std::string_view to_string(SessionLoss loss) {
  switch (loss) {
    case SessionLoss::limit:
      return "limit";
    case SessionLoss::descriptors:
      return "descriptors";
    case SessionLoss::memory:
      return "memory";
    case SessionLoss::threads:
      return "threads";
    case SessionLoss::silent:
      return "silent";
    case SessionLoss::unfinished_packet:
      return "unfinished_packet";
    case SessionLoss::malformed_packet:
      return "malformed_packet";
    case SessionLoss::failed_step:
      return "failed_step";
  }
  return "unknown";
}

void report(SessionLoss loss, int error) noexcept {
  try {
    const std::string_view reason = to_string(loss);
    counter("mxfeed_sessions_lost_total", "reason=\"" + std::string(reason) + '"').add();
    const unsigned count = burst_of(loss).add(steady_clock::now());
    if (count == 0) return;
    LogFields fields;
    fields.add("event", "session_lost").add("reason", reason).add("count", count);
    if (error != 0) fields.add("fault", errno_text(error));
    log(Severity::warning, fields);
  } catch (const std::exception&) {
    log(Severity::warning, "event=session_lost");
  }
}

}  // namespace mxfeed
