// SPDX-License-Identifier: GPL-2.0-or-later
//
// When the supervisor loads signatures: a pure rule of what there is, what is in force
// and what happened before.  The time is passed in.

#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/policy/domain_policy.h"

namespace mxfeed::virus {

// What an engine is made of: the same again makes the same engine.
struct EngineSource {
  GatewayPolicy::Virus settings;
  std::string fingerprint;  // of the signature files (database.h)
  bool operator==(const EngineSource&) const = default;
};

class LoadSchedule {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::milliseconds;

  // Signature files are replaced one after another: so long none must have changed.
  static constexpr Duration kSettle = std::chrono::seconds(2);
  // Between attempts with a source that failed; twice as long each time.
  static constexpr Duration kFirstPause{500};
  static constexpr Duration kLongestPause = std::chrono::seconds(60);
  // While an engine is in force: an attempt costs as much as a good load.
  static constexpr Duration kLongestPauseInForce = std::chrono::seconds(600);
  // An engine that is lost sooner counts as a failed load.
  static constexpr Duration kShortLife = std::chrono::seconds(10);

  // What a load would use now.
  void observe(EngineSource source, Instant now);
  const EngineSource& observed() const { return observed_; }

  // Whether to load what was observed.  `asked`: somebody did, and does not want to wait
  // for files to settle or a pause to end.
  bool wants_load(Instant now, bool asked) const;

  // What happens to a load, of which there is one at a time, and to the engine in force.
  void load_began();
  void load_succeeded(Instant now);
  void load_failed(Instant now);
  void engine_lost(Instant now);

  bool is_loading() const { return loading_.has_value(); }
  const std::optional<EngineSource>& in_force() const { return in_force_; }

 private:
  void pause_after_failure(const EngineSource& source, Instant now);

  EngineSource observed_;
  Instant changed_{};  // when the signature files did last
  std::optional<EngineSource> loading_;
  std::optional<EngineSource> in_force_;
  Instant in_force_since_{};
  bool lost_engine_ = false;  // and nothing has been loaded since
  std::optional<EngineSource> failed_;
  Instant next_attempt_{};  // with failed_
  Duration pause_{0};
};

}  // namespace mxfeed::virus
