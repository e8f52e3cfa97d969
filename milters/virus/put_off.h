// SPDX-License-Identifier: GPL-2.0-or-later
//
// The recipients that were put off because a transaction had others of another content
// policy (gate.h).  A sender that keeps all of them in one message and tries again after
// minutes, as a Postfix with a relayhost does, would serve one policy with each try, for
// hours.  When it tries again, the recipients may share a transaction, and the least
// destructive action counts for all.  Senders that split at once never come to that.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/base/clock.h"
#include "common/mail/envelope.h"

namespace mxfeed::virus {

class PutOff {
 public:
  // What comes earlier is the same try.  Postfix waits for 300 seconds at least.
  static constexpr std::chrono::seconds kAgain{120};
  // Postfix waits for 4000 seconds at most.
  static constexpr std::chrono::hours kMemory{6};

  // Forgets the oldest beyond `most`; each takes about 100 octets.
  explicit PutOff(std::size_t most = 100'000);

  // Takes note that the recipient was put off.  Thread-safe, as all.
  void note(const Envelope& envelope, const Recipient& recipient, Time now);

  // Whether the same sender, from the same network, was put off with this recipient at
  // least kAgain and at most kMemory ago.
  bool comes_again(const Envelope& envelope, const Recipient& recipient, Time now);

 private:
  using Key = std::uint64_t;
  Key key_of(const Envelope& envelope, const Recipient& recipient) const;
  void forget(Time now);

  const std::size_t most_;
  const std::uint64_t seed_;
  std::mutex mutex_;
  std::unordered_map<Key, Time> first_;       // when it was put off first
  std::deque<std::pair<Time, Key>> by_time_;  // all of them, the oldest first
};

}  // namespace mxfeed::virus
