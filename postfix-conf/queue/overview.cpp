// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/overview.h"

#include <algorithm>
#include <set>

#include "common/mail/envelope.h"
#include "postfix-conf/queue/refusal.h"

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

bool is_held_by_keeper(const QueuedMessage& message, const Record& record) {
  return message.is_held() && record.touch == Touch::held;
}

std::optional<Time> expiry(const QueuedMessage& message, const Record& record,
                           Terms& terms) {
  if (is_held_by_keeper(message, record)) return record.since + kHeldFor;
  // What somebody else has put on hold does not expire.
  if (message.is_held() || message.recipients.empty()) return std::nullopt;
  return last_deadline(message, terms);
}

void Overview::add(const QueuedMessage& message, const Attempts& attempts) {
  const Record record = journal_(message.id);
  const auto expires = expiry(message, record, terms_);
  std::set<std::string> seen, refused;
  for (const auto& recipient : message.recipients) {
    const std::string name = domain_of(recipient.address);
    auto& domain = domains_[name];
    if (recipient.delay_reason &&
        (domain.reason.empty() || attempts.last > domain.last_try)) {
      domain.reason = *recipient.delay_reason;
      domain.last_try = attempts.last;
    }
    if (recipient.delay_reason && is_refusal(*recipient.delay_reason) &&
        refused.insert(name).second) {
      ++domain.refused;
    }
    if (!seen.insert(name).second) continue;
    if (domain.messages++ == 0 || message.arrived < domain.oldest) {
      domain.oldest = message.arrived;
    }
    if (message.is_held()) ++domain.held;
    if (is_held_by_keeper(message, record)) ++domain.held_by_keeper;
    domain.size += message.size;
    take_earlier(domain.expires, expires);
    take_earlier(domain.next_try, attempts.next);
  }
}

}  // namespace mxfeed
