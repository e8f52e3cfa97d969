// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/plan.h"

#include <algorithm>
#include <utility>

#include "postfix-conf/queue/recovery.h"

namespace mxfeed {
namespace {

// qmgr(8) puts the mail off without trying, since the destination did not answer lately.
bool is_suspended(std::string_view reason) {
  return reason.starts_with("delivery temporarily suspended");
}

bool has_complete_log(const QueuedMessage& message) {
  return std::all_of(message.recipients.begin(), message.recipients.end(),
                     [](const QueuedRecipient& one) { return one.delay_reason; });
}

// When all recipients had been tried for the last time.
std::optional<Time> tried(const QueuedMessage& message, const Attempts& attempts,
                          Terms& terms, const PlanRules& rules) {
  auto first = attempts.last;
  for (const auto& recipient : message.recipients) {
    if (!first || !recipient.delay_reason) return std::nullopt;
    const std::string_view reason = *recipient.delay_reason;
    auto last = attempts.last;
    if (is_stopped(reason)) {
      const auto& domain = terms.of(recipient.address).domain;
      last = rules.found_down ? rules.found_down(domain) : std::nullopt;
    } else if (is_suspended(reason)) {
      last = *last - rules.suspension;
    }
    first = last ? std::min(*first, *last) : last;
  }
  return first;
}

Judgement judge_held(const QueuedMessage& message, bool is_ours, Terms& terms,
                     const PlanRules& rules) {
  const auto deadline = last_deadline(message, terms);
  if (!is_ours) return {Step::keep, Cause::not_deferred, deadline};
  // Not for hold by us: it was made to expire and released in one step.
  if (!deadline || *deadline > rules.now || message.recipients.empty()) {
    return {Step::release, Cause::not_due, deadline};
  }
  if (!has_complete_log(message)) return {Step::release, Cause::incomplete_log, deadline};
  if (!rules.obstacle.empty()) return {Step::release, Cause::obstacle, deadline};
  return {Step::expire_held, Cause::due, deadline};
}

}  // namespace

std::optional<Time> last_deadline(const QueuedMessage& message, Terms& terms) {
  std::optional<Time> last;
  for (const auto& recipient : message.recipients) {
    const auto deadline = terms.of(recipient.address).deadline(message.arrived);
    if (!deadline) return std::nullopt;
    last = std::max(last.value_or(*deadline), *deadline);
  }
  return last;
}

std::string_view to_string(Step step) {
  switch (step) {
    case Step::keep:
      return "keep";
    case Step::attempt:
      return "attempt";
    case Step::expire:
      return "expire";
    case Step::hold:
      return "hold";
    case Step::expire_held:
      return "expire_held";
    case Step::release:
      return "release";
    case Step::resume:
      return "resume";
  }
  return "";
}

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::not_due:
      return "not_due";
    case Cause::not_deferred:
      return "not_deferred";
    case Cause::endless:
      return "endless";
    case Cause::due:
      return "due";
    case Cause::incomplete_log:
      return "incomplete_log";
    case Cause::no_attempt:
      return "no_attempt";
    case Cause::recent_attempt:
      return "recent_attempt";
    case Cause::obstacle:
      return "obstacle";
    case Cause::interrupted:
      return "interrupted";
  }
  return "";
}

Judgement judge(const QueuedMessage& message, const Attempts& attempts, bool is_ours,
                Terms& terms, const PlanRules& rules) {
  if (message.is_held()) return judge_held(message, is_ours, terms, rules);
  const auto deadline = last_deadline(message, terms);
  if (!message.is_deferred() || message.recipients.empty()) {
    return {Step::keep, Cause::not_deferred, deadline};
  }
  if (message.is_expired) {
    return {is_ours ? Step::resume : Step::keep, Cause::interrupted, deadline};
  }
  if (!deadline) return {Step::keep, Cause::endless, deadline};
  if (*deadline > rules.now) return {Step::keep, Cause::not_due, deadline};
  const auto last = tried(message, attempts, terms, rules);
  const bool is_complete = has_complete_log(message);
  if (!is_complete || !last || *last <= std::max(*deadline, rules.started)) {
    // A time in the future is of another clock.
    if (attempts.last && *attempts.last <= rules.now &&
        rules.now - *attempts.last < PlanRules::kBetweenAttempts) {
      return {Step::keep, Cause::recent_attempt, deadline};
    }
    return {Step::attempt, is_complete ? Cause::no_attempt : Cause::incomplete_log,
            deadline};
  }
  if (!rules.obstacle.empty()) return {Step::keep, Cause::obstacle, deadline};
  return {message.recipients.size() == 1 ? Step::expire : Step::hold, Cause::due,
          deadline};
}

void QueuePlan::add(const QueuedMessage& message, const Attempts& attempts) {
  ++listed_;
  const auto [step, cause, deadline] =
      judge(message, attempts, is_ours_(message.id), terms_, rules_);
  ++causes_[cause];
  if (cause == Cause::due || cause == Cause::obstacle) ++due_;
  if (cause == Cause::not_due && message.is_deferred()) note_soon(message, *deadline);
  if (step == Step::keep) return;
  if (step == Step::attempt && attempts_++ >= PlanRules::kMostAttempts) return;
  PlannedStep planned{
      step, message.id, message.sender, {}, message.arrived, deadline.value_or(Time()),
      {},   {}};
  for (const auto& recipient : message.recipients) {
    planned.recipients.push_back(recipient.address);
    if (recipient.delay_reason) planned.reason = *recipient.delay_reason;
    const auto& domain = terms_.of(recipient.address).domain;
    if (!domain.empty() && std::find(planned.domains.begin(), planned.domains.end(),
                                     domain) == planned.domains.end()) {
      planned.domains.push_back(domain);
    }
  }
  steps_.push_back(std::move(planned));
}

void QueuePlan::note_soon(const QueuedMessage& message, Time deadline) {
  if (deadline - rules_.now > kSoon) return;
  for (const auto& recipient : message.recipients) {
    const Term& term = terms_.of(recipient.address);
    if (term.domain.empty() || deadline - rules_.now > term.lifetime / 2) continue;
    auto& soon = soon_[term.domain];
    if (soon.messages++ == 0 || deadline < soon.first) {
      soon.first = deadline;
      soon.customer = term.customer;
      soon.reason = recipient.delay_reason.value_or("");
    }
    break;  // a message counts once
  }
}

bool QueuePlan::is_braked() const {
  return rules_.obstacle.empty() && due_ > PlanRules::kManyMessages &&
         due_ * PlanRules::kManyPart > listed_ && due_ > rules_.allowed;
}

std::vector<PlannedStep> QueuePlan::steps() const {
  if (!is_braked()) return steps_;
  std::vector<PlannedStep> steps;
  for (const auto& one : steps_) {
    switch (one.step) {
      case Step::expire:
      case Step::hold:
      case Step::keep:
        continue;
      case Step::expire_held:
        steps.push_back(one);
        steps.back().step = Step::release;
        continue;
      case Step::attempt:
      case Step::release:
      case Step::resume:
        steps.push_back(one);
    }
  }
  return steps;
}

std::size_t QueuePlan::count(Cause cause) const {
  const auto found = causes_.find(cause);
  return found == causes_.end() ? 0 : found->second;
}

}  // namespace mxfeed
