// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/host_clock.h"

#include <sys/timex.h>
#include <time.h>

#include <cerrno>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"

namespace mxfeed {

std::string read_boot_id() {
  constexpr const char* kPath = "/proc/sys/kernel/random/boot_id";
  const auto text = read_file(kPath, 100);
  if (!text) throw Fault("read clock", kPath, "no such file");
  return std::string(trim(*text));
}

HostClock read_host_clock() {
  HostClock clock;
  timespec since_boot{};
  if (::clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0) {
    throw Fault("read clock", "CLOCK_BOOTTIME", errno_text(errno));
  }
  clock.now = system_time();
  clock.since_boot = std::chrono::seconds(since_boot.tv_sec);
  clock.boot_id = read_boot_id();
  timex state{};
  clock.is_synchronised = ::adjtimex(&state) >= 0 && (state.status & STA_UNSYNC) == 0;
  return clock;
}

ClockMark next_mark(const std::optional<ClockMark>& before, const HostClock& clock) {
  ClockMark mark{clock.now, clock.since_boot, clock.boot_id, std::nullopt};
  if (!before) return mark;
  if (before->boot_id != clock.boot_id) {
    // How long the host was off is not known, but time does not go backwards.
    if (clock.now < before->now) mark.stepped = clock.since_boot;
    return mark;
  }
  const auto step = (clock.now - before->now) - (clock.since_boot - before->since_boot);
  mark.stepped = std::chrono::abs(step) > kClockStep ? clock.since_boot : before->stepped;
  return mark;
}

std::string clock_obstacle(const ClockMark& mark, const HostClock& clock) {
  if (!clock.is_synchronised) return "the clock is not synchronised";
  if (mark.stepped && clock.since_boot - *mark.stepped < kClockRest) {
    return "the clock was set less than 10 minutes ago";
  }
  return {};
}

}  // namespace mxfeed
