// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/load_schedule.h"

#include <algorithm>
#include <utility>

namespace mxfeed::virus {

void LoadSchedule::observe(EngineSource source, Instant now) {
  if (source.fingerprint != observed_.fingerprint) changed_ = now;
  observed_ = std::move(source);
}

bool LoadSchedule::wants_load(Instant now, bool asked) const {
  if (loading_ || in_force_ == observed_) return false;
  if (asked) return true;
  if (failed_ == observed_ && now < next_attempt_) return false;
  return lost_engine_ || now - changed_ >= kSettle;
}

void LoadSchedule::load_began() {
  loading_ = observed_;
}

void LoadSchedule::load_succeeded(Instant now) {
  in_force_ = std::move(loading_);
  loading_.reset();
  in_force_since_ = now;
  lost_engine_ = false;
  failed_.reset();
  pause_ = Duration(0);
}

void LoadSchedule::load_failed(Instant now) {
  if (!loading_) return;
  pause_after_failure(*loading_, now);
  loading_.reset();
}

void LoadSchedule::engine_lost(Instant now) {
  if (!in_force_) return;
  const EngineSource lost = *std::exchange(in_force_, std::nullopt);
  lost_engine_ = true;
  if (now - in_force_since_ < kShortLife) {
    pause_after_failure(lost, now);
  } else {
    next_attempt_ = now;  // the longest pause in force does not apply without an engine
  }
}

void LoadSchedule::engine_retired() {
  in_force_.reset();
  lost_engine_ = true;
}

void LoadSchedule::pause_after_failure(const EngineSource& source, Instant now) {
  pause_ = std::clamp(pause_ * 2, kFirstPause,
                      in_force_ ? kLongestPauseInForce : kLongestPause);
  failed_ = source;
  next_attempt_ = now + pause_;
}

}  // namespace mxfeed::virus
