// SPDX-License-Identifier: GPL-2.0-or-later
//
// A bounded memory of keys that were used lately.

#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "common/base/clock.h"

namespace mxfeed::greylist {

// Remembers at least the `most` keys that were changed last, and at most twice as many:
// when the newer half is full, the older one is dropped.  An entry counts until its time.
// Thread-safe.
template <typename Value>
class Recent {
 public:
  explicit Recent(std::size_t most) : most_(most) {}

  // The value of the key; Value() if there is none, or if it has expired.
  Value find(const std::string& key, Time now) const {
    const std::lock_guard lock(mutex_);
    return find_unlocked(key, now).value;
  }

  // Replaces the value by what `change` makes of it.  A new entry counts until `until`,
  // one that still counts until its own time.
  template <typename Make>
  void change(const std::string& key, Time now, Time until, const Make& make) {
    const std::lock_guard lock(mutex_);
    Entry entry = find_unlocked(key, now);
    if (entry.until <= now || entry.until > until) entry.until = until;
    entry.value = make(std::move(entry.value));
    put(key, std::move(entry));
  }

  void set(const std::string& key, Value value, Time until) {
    const std::lock_guard lock(mutex_);
    put(key, {std::move(value), until});
  }

  void forget(const std::string& key) {
    const std::lock_guard lock(mutex_);
    newer_.erase(key);
    older_.erase(key);
  }

 private:
  struct Entry {
    Value value{};
    Time until{};
  };
  using Entries = std::unordered_map<std::string, Entry>;

  Entry find_unlocked(const std::string& key, Time now) const {
    for (const Entries* entries : {&newer_, &older_}) {
      const auto found = entries->find(key);
      if (found != entries->end() && now < found->second.until) return found->second;
    }
    return {};
  }

  void put(const std::string& key, Entry entry) {
    if (newer_.size() >= most_ && !newer_.contains(key)) {
      older_ = std::move(newer_);
      newer_.clear();
    }
    newer_.insert_or_assign(key, std::move(entry));
  }

  const std::size_t most_;
  mutable std::mutex mutex_;
  Entries newer_, older_;
};

}  // namespace mxfeed::greylist
