// SPDX-License-Identifier: GPL-2.0-or-later
//
// Answers, kept for their time to live.

#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <optional>

#include "common/net/dns.h"

namespace mxfeed::dns {

struct CacheLimits {
  std::size_t entries = 10'000;
  std::size_t bytes = std::size_t{16} << 20U;  // as estimated
  std::chrono::seconds floor{5};               // of found and absent
  std::chrono::seconds ceiling{3600};
  std::chrono::seconds absent_ceiling{300};
  std::chrono::seconds temporary{3};
};

// When it is full, the answer that was not asked for the longest goes.  Not thread-safe.
class Cache {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  explicit Cache(const CacheLimits& limits) : limits_(limits) {}

  // The answer, unless it has expired.
  std::optional<Answer> find(const Question& question, Instant now);
  // Replaces an earlier answer.  An answer that is larger than the cache is not kept.
  void store(const Question& question, const Answer& answer, Instant now);

  std::size_t entries() const { return by_question_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Question question;
    Answer answer;
    Instant until;
    std::size_t bytes;
  };
  using Entries = std::list<Entry>;

  std::chrono::seconds lifetime(const Answer& answer) const;
  void remove(Entries::iterator entry);

  const CacheLimits limits_;
  Entries entries_;  // the last asked first
  std::map<Question, Entries::iterator> by_question_;
  std::size_t bytes_ = 0;
};

}  // namespace mxfeed::dns
