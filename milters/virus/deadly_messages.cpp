// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/deadly_messages.h"

namespace mxfeed::virus {

bool DeadlyMessages::is_empty() const {
  const std::lock_guard lock(mutex_);
  return deaths_.empty();
}

bool DeadlyMessages::note_death(const std::string& digest, Time now) {
  const std::lock_guard lock(mutex_);
  forget(now);
  const auto [found, is_new] = deaths_.emplace(digest, 0);
  const bool is_deadly = ++found->second >= kDeaths;
  if (is_new) by_time_.emplace_back(now, digest);
  if (by_time_.size() > most_) {
    deaths_.erase(by_time_.front().second);
    by_time_.pop_front();
  }
  return is_deadly;
}

bool DeadlyMessages::is_deadly(const std::string& digest, Time now) {
  const std::lock_guard lock(mutex_);
  forget(now);
  const auto found = deaths_.find(digest);
  return found != deaths_.end() && found->second >= kDeaths;
}

void DeadlyMessages::forgive(const std::string& digest) {
  const std::lock_guard lock(mutex_);
  if (deaths_.erase(digest) == 0) return;
  std::erase_if(by_time_, [&](const auto& one) { return one.second == digest; });
}

void DeadlyMessages::forget(Time now) {
  while (!by_time_.empty() && now - by_time_.front().first > kMemory) {
    deaths_.erase(by_time_.front().second);
    by_time_.pop_front();
  }
}

}  // namespace mxfeed::virus
