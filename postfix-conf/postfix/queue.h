// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the output of postqueue(1).

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "postfix-conf/generate/compile.h"

namespace mxfeed {

// A recipient that waits.
struct QueuedRecipient {
  static constexpr std::size_t kMaxReason = 400;  // the rest is cut off

  std::string address;
  // Of the last attempt; nothing if the defer log does not have the recipient.
  std::optional<std::string> delay_reason;
};

struct QueuedMessage {
  std::string queue;  // "deferred"
  std::string id;
  Time arrived{};
  std::uint64_t size = 0;   // bytes
  bool is_expired = false;  // forced to expire, by `postsuper -e`
  std::string sender;       // "MAILER-DAEMON" for the null sender
  // Without those that have been delivered or bounced.
  std::vector<QueuedRecipient> recipients;

  bool is_deferred() const { return queue == "deferred"; }
  bool is_held() const { return queue == "hold"; }
};

// Reads a line of `postqueue -j`; nothing if it is malformed.  Unknown members are
// skipped; a control character is '?'.
std::optional<QueuedMessage> parse_queued(std::string_view line);

// The keys that a map may have for the name: the queue keeps U-labels as the client wrote
// them, and Postfix folds their case before the look-up (folding changes two letters of
// RFC 5892).
std::vector<std::string> spellings_of(std::string_view name);

// The keys in `wanted` that match the recipient's domain.
std::vector<RelayKey> keys_of(std::string_view recipient,
                              const std::set<RelayKey>& wanted);

}  // namespace mxfeed
