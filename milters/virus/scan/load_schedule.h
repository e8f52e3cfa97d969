// SPDX-License-Identifier: GPL-2.0-or-later
//
// When the supervisor loads signatures: a pure rule on the signatures on disk, the engine
// in force and what happened before.  The time is passed in.

#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/policy/domain_policy.h"

namespace mxfeed::virus {

// What an engine is made from: the same source gives the same engine.
struct EngineSource {
  GatewayPolicy::Virus settings;
  std::string fingerprint;  // of the signature files (database.h)
  bool operator==(const EngineSource&) const = default;
};

class LoadSchedule {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::milliseconds;

  // Signature files are replaced one after another: a load waits until none has changed
  // for this time.
  static constexpr Duration kSettle = std::chrono::seconds(2);
  // The pause between attempts with a source that failed; doubled each time.
  static constexpr Duration kFirstPause{500};
  static constexpr Duration kLongestPause = std::chrono::seconds(60);
  // The longest pause while an engine is in force: a failed attempt costs as much as a
  // successful one.
  static constexpr Duration kLongestPauseInForce = std::chrono::seconds(600);
  // An engine that is lost within this time counts as a failed load.
  static constexpr Duration kShortLife = std::chrono::seconds(10);

  // Tells the schedule what a load would use now.
  void observe(EngineSource source, Instant now);
  const EngineSource& observed() const { return observed_; }

  // Whether to load what was observed.  `asked`: the operator asked for it, so do not
  // wait for the files to settle or for a pause to end.
  bool wants_load(Instant now, bool asked) const;

  // Events of the load, of which there is one at a time, and of the engine in force.
  void load_began();
  void load_succeeded(Instant now);
  void load_failed(Instant now);
  void engine_lost(Instant now);
  // It was given up to make room for the load of what was observed.
  void engine_retired();

  bool is_loading() const { return loading_.has_value(); }
  const std::optional<EngineSource>& in_force() const { return in_force_; }

 private:
  void pause_after_failure(const EngineSource& source, Instant now);

  EngineSource observed_;
  Instant changed_{};  // when the signature files last changed
  std::optional<EngineSource> loading_;
  std::optional<EngineSource> in_force_;
  Instant in_force_since_{};
  bool lost_engine_ = false;  // and nothing has been loaded since
  std::optional<EngineSource> failed_;
  Instant next_attempt_{};  // with failed_
  Duration pause_{0};
};

}  // namespace mxfeed::virus
