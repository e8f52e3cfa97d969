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

#include "common/base/clock.h"
#include "postfix-conf/postfix/queue.h"
#include "postfix-conf/queue/plan.h"
#include "postfix-conf/queue/terms.h"

namespace mxfeed {

struct QueueOfDomain {
  std::size_t messages = 0;
  std::size_t held = 0;          // of them
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
  explicit Overview(Terms& terms) : terms_(terms) {}

  void add(const QueuedMessage& message, const Attempts& attempts);

  const std::map<std::string, QueueOfDomain>& domains() const { return domains_; }

 private:
  Terms& terms_;
  std::map<std::string, QueueOfDomain> domains_;
};

// When the message expires: when the last of its recipients is due.
std::optional<Time> expiry(const QueuedMessage& message, Terms& terms);

}  // namespace mxfeed
