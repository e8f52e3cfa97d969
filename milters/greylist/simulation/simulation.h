// SPDX-License-Identifier: GPL-2.0-or-later
//
// What greylisting would have done with the mail of a log.
//
// Every try in the log is decided on as the daemon decides, with an empty store in memory
// at the beginning.  Tries that the site greylisted show when their senders come back.  A
// message that the site accepted although it would have had to wait here is assumed to
// come again when the wait is over: the log cannot tell.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/net/spf.h"
#include "common/policy/domain_policy.h"
#include "milters/greylist/identity.h"
#include "milters/greylist/simulation/attempts.h"

namespace mxfeed::greylist {

struct SimulationSettings {
  // Of a recipient's domain; nothing if its mail is not to be looked at.
  std::function<std::optional<DomainPolicy>(std::string_view domain)> domain;
  GatewayPolicy gateway;
  // No result if it is not to be checked.
  std::function<spf::Verdict(const Envelope&)> spf;
};

struct SimulationResult {
  using ByKind = std::array<std::size_t, 3>;  // of identities
  struct Day {
    std::size_t messages = 0;
    std::size_t delayed = 0;
  };

  Time first, last;  // of the tries that were looked at

  // Of the messages that the log shows as accepted:
  std::size_t exempt = 0;
  ByKind at_once{};
  ByKind delayed{};
  std::vector<std::chrono::seconds> waits;  // of the delayed ones, ascending
  std::size_t waits_from_log = 0;           // the others are assumed
  std::map<std::string, Day> days;          // "2026-11-27"; without the exempt

  // Of the messages that the site greylisted, and that the log does not show as accepted:
  std::size_t never_back = 0;
  std::size_t passed = 0;     // here they would have been let through
  std::size_t undecided = 0;  // the log ends before the retry window

  std::size_t messages() const;  // accepted and not exempt
  std::size_t all_delayed() const;
  // 0 if nothing was delayed.
  std::chrono::seconds percentile(double share) const;
};

// Takes the tries one by one.  Keeps what is not decided yet, and what the daemon's store
// would keep.
class Simulation {
 public:
  explicit Simulation(SimulationSettings settings);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // In order of time, about.
  void take(const Attempt& attempt);
  // To be called once, at the end.
  SimulationResult finish();

 private:
  class Run;
  const std::unique_ptr<Run> run_;
};

}  // namespace mxfeed::greylist
