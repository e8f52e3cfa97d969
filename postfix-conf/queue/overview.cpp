// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/overview.h"

#include <algorithm>
#include <set>

#include "common/mail/envelope.h"

namespace mxfeed {
namespace {

// The earlier of the two, where nothing is later than any time.
void take_earlier(std::optional<Time>& target, const std::optional<Time>& other) {
  if (other && (!target || *other < *target)) target = other;
}

}  // namespace

std::string domain_of(std::string_view address) {
  std::string domain = Recipient::parse(address).domain;
  if (const auto parsed = Domain::parse(domain)) return parsed->str();
  return domain;
}

bool is_within(std::string_view domain, std::string_view name) {
  if (!domain.ends_with(name)) return false;
  domain.remove_suffix(name.size());
  return domain.empty() || domain.ends_with('.');
}

std::optional<Time> expiry(const QueuedMessage& message, Terms& terms) {
  // What is on hold does not expire.
  if (message.is_held() || message.recipients.empty()) return std::nullopt;
  return last_deadline(message, terms);
}

void Overview::add(const QueuedMessage& message, const Attempts& attempts) {
  const auto expires = expiry(message, terms_);
  std::set<std::string> seen;
  for (const auto& recipient : message.recipients) {
    const std::string name = domain_of(recipient.address);
    auto& domain = domains_[name];
    if (recipient.delay_reason &&
        (domain.reason.empty() || attempts.last > domain.last_try)) {
      domain.reason = *recipient.delay_reason;
      domain.last_try = attempts.last;
    }
    if (!seen.insert(name).second) continue;
    if (domain.messages++ == 0 || message.arrived < domain.oldest) {
      domain.oldest = message.arrived;
    }
    if (message.is_held()) ++domain.held;
    domain.size += message.size;
    take_earlier(domain.expires, expires);
    take_earlier(domain.next_try, attempts.next);
  }
}

}  // namespace mxfeed
