// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/backlog.h"

#include "postfix-conf/queue/recovery.h"
#include "postfix-conf/queue/refusal.h"

namespace mxfeed {

namespace {

// smtp(8) and qmgr(8).
bool is_unreachable(std::string_view delay_reason) {
  constexpr std::string_view kSuspended = "delivery temporarily suspended: ";
  if (delay_reason.starts_with(kSuspended)) delay_reason.remove_prefix(kSuspended.size());
  return delay_reason.starts_with("connect to ") ||
         delay_reason.starts_with("lost connection with ") ||
         delay_reason.starts_with("conversation with ");
}

}  // namespace

void Backlogs::add(const QueuedMessage& message) {
  const bool is_tried = trials_.contains(message.id);
  if (is_tried) waiting_.insert(message.id);
  if (is_tried && !message.is_deferred()) moving_.insert(message.id);
  if (message.is_held()) return;
  std::set<std::string_view> counted;
  for (const auto& recipient : message.recipients) {
    const Term& term = terms_.of(recipient.address);
    const std::string& domain = term.domain;
    if (domain.empty() || term.is_here) continue;
    if (is_tried && message.is_deferred() && recipient.delay_reason &&
        is_refusal(*recipient.delay_reason)) {
      refused_.insert(message.id);
    }
    Backlog& backlog = domains_[domain];
    if (recipient.delay_reason && is_unreachable(*recipient.delay_reason)) {
      backlog.is_unreachable = true;
    }
    if (backlog.recipients.size() < Backlog::kRecipients) {
      backlog.recipients.push_back(recipient.address);
    }
    if (!message.is_deferred() || !counted.insert(domain).second) continue;
    ++backlog.messages;
    if (backlog.ids.size() < kTrialMessages) backlog.ids.push_back(message.id);
  }
}

}  // namespace mxfeed
