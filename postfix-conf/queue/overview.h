// SPDX-License-Identifier: GPL-2.0-or-later
//
// What waits in the queue, by the domain of the recipient.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/clock.h"
#include "postfix-conf/postfix/queue.h"
#include "postfix-conf/queue/plan.h"
#include "postfix-conf/queue/terms.h"

namespace mxfeed {

struct QueueOfDomain {
  std::size_t messages = 0;
  std::size_t held = 0;  // of them
  std::size_t held_by_keeper = 0;
  std::size_t refused = 0;       // the server has refused a recipient
  std::uint64_t size = 0;        // bytes
  Time oldest{};                 // arrival
  std::optional<Time> expires;   // the first message; nothing if none ever does
  std::optional<Time> next_try;  // of the first message
  std::string reason;            // of the last deferral
  std::optional<Time> last_try;  // when that was
};

// The domain of an address as the overview names it: lower-case A-labels if it has them.
std::string domain_of(std::string_view address);

// Whether `domain` is `name` or below it.
bool is_within(std::string_view domain, std::string_view name);

// Takes the messages of the queue one by one.
class Overview {
 public:
  Overview(Terms& terms, Journal journal) : terms_(terms), journal_(std::move(journal)) {}

  void add(const QueuedMessage& message, const Attempts& attempts);

  const std::map<std::string, QueueOfDomain>& domains() const { return domains_; }

 private:
  Terms& terms_;
  const Journal journal_;
  std::map<std::string, QueueOfDomain> domains_;
};

// Whether the keeper has put the message on hold, and it still is.
bool is_held_by_keeper(const QueuedMessage& message, const Record& record);

// When the message expires: when the last of its recipients is due, or when the keeper
// deletes it.
std::optional<Time> expiry(const QueuedMessage& message, const Record& record,
                           Terms& terms);

}  // namespace mxfeed
