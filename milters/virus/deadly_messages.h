// SPDX-License-Identifier: GPL-2.0-or-later
//
// The messages on which workers of mxfeed-scan died.  Their senders try again for days,
// and each time would cost workers; after some deaths a message counts as unscannable.

#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "common/base/clock.h"

namespace mxfeed::virus {

class DeadlyMessages {
 public:
  // Each try of a sender costs two workers at most.
  static constexpr unsigned kDeaths = 3;
  static constexpr std::chrono::hours kMemory{12};

  // Forgets the oldest beyond `most`.
  explicit DeadlyMessages(std::size_t most = 1000) : most_(most) {}

  // Whether nothing is remembered, as usual: then no digest is needed.  Thread-safe, as
  // all.
  bool is_empty() const;

  // One more worker died on the message of that digest.  Returns whether it is deadly
  // now.
  bool note_death(const std::string& digest, Time now);
  bool is_deadly(const std::string& digest, Time now);
  // It was scanned: the deaths had another cause.
  void forgive(const std::string& digest);

 private:
  void forget(Time now);

  const std::size_t most_;  // at least 1
  mutable std::mutex mutex_;
  std::unordered_map<std::string, unsigned> deaths_;
  // When each was noted first, the oldest first.
  std::deque<std::pair<Time, std::string>> by_time_;
};

}  // namespace mxfeed::virus
