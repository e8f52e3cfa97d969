// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/plan.h"

#include <algorithm>
#include <utility>

#include "postfix-conf/queue/provider_routes.h"
#include "postfix-conf/queue/recovery.h"
#include "postfix-conf/queue/refusal.h"

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

bool is_null(std::string_view sender) {
  return sender == "MAILER-DAEMON";  // showq(8)
}

std::optional<Time> refusals_since(const PlanRules& rules, const std::string& domain) {
  return rules.refusals_since ? rules.refusals_since(domain) : Time();
}

// Whether its server has refused the recipient, and that is for the keeper to act on.
// What Dovecot refuses here waits: a full mailbox may have room again.
bool is_refused(const QueuedRecipient& recipient, Terms& terms) {
  return !terms.of(recipient.address).is_here && recipient.delay_reason &&
         is_refusal(*recipient.delay_reason) &&
         (terms.of(recipient.address).on_refusal != OnRefusal::bounce ||
          !postmaster_key(recipient.address).empty());
}

bool goes_to_provider(const QueuedRecipient& recipient, Terms& terms,
                      const PlanRules& rules) {
  if (!rules.goes_to_provider || !is_refused(recipient, terms)) return false;
  const auto key = postmaster_key(recipient.address);
  return !key.empty() && rules.goes_to_provider(key);
}

// When a message may end.
struct End {
  bool is_refused = false;  // one of the recipients was
  bool has_due = false;     // it has others
  // When the last of the others is due; nothing if one never is.
  std::optional<Time> deadline = Time();
  // Only an attempt after that counts.
  Time tried_after{};
  // One of the recipients goes to the provider, if there was an attempt after that.
  std::optional<Time> redirected_after{};

  bool is_there(Time now) const {
    return !redirected_after && (!has_due || (deadline && *deadline <= now));
  }
};

End end_of(const QueuedMessage& message, Terms& terms, const PlanRules& rules) {
  End end;
  for (const auto& recipient : message.recipients) {
    const Term& term = terms.of(recipient.address);
    if (is_refused(recipient, terms)) {
      const auto since = refusals_since(rules, term.domain);
      if (since && !term.is_endless) {
        if (goes_to_provider(recipient, terms, rules)) {
          end.redirected_after = std::max(end.redirected_after.value_or(*since), *since);
        }
        end.is_refused = true;
        end.tried_after = std::max(end.tried_after, *since);
        continue;
      }
    }
    end.has_due = true;
    const auto deadline = term.deadline(message.arrived);
    end.deadline =
        end.deadline && deadline ? std::max(end.deadline, deadline) : std::nullopt;
  }
  if (end.has_due && end.deadline) {
    end.tried_after = std::max(end.tried_after, *end.deadline);
  }
  return end;
}

// Of a message that a run had put on hold for a moment.
Judgement judge_interrupted(const QueuedMessage& message, Terms& terms,
                            const PlanRules& rules) {
  const auto deadline = last_deadline(message, terms);
  // A refusal has to be looked at again: it may be of another time.
  if (!deadline || *deadline > rules.now || message.recipients.empty() ||
      end_of(message, terms, rules).redirected_after) {
    return {Step::release, Cause::not_due, deadline};
  }
  // Of a sender that has to be verified first, the next run finds out.
  if (how_to_end(message, terms) != Ending::bounce) {
    return {Step::release, Cause::interrupted, deadline};
  }
  if (!has_complete_log(message)) return {Step::release, Cause::incomplete_log, deadline};
  if (!rules.obstacle.empty()) return {Step::release, Cause::obstacle, deadline};
  return {Step::expire_held, Cause::due, deadline};
}

// Whether a time in the past was too short a while ago for another attempt.
bool is_recent(const std::optional<Time>& last, Time now) {
  // A time in the future is of another clock.
  return last && *last <= now && now - *last < PlanRules::kBetweenAttempts;
}

Judgement judge_refused_postmaster(const End& end, const Attempts& attempts,
                                   const PlanRules& rules, std::optional<Time> deadline) {
  if (attempts.last && *attempts.last > *end.redirected_after) {
    return {Step::redirect, Cause::refused_postmaster, deadline};
  }
  return {is_recent(attempts.last, rules.now) ? Step::keep : Step::attempt,
          Cause::refused_postmaster, deadline};
}

Judgement judge_held(const QueuedMessage& message, const Record& record, Terms& terms,
                     const PlanRules& rules) {
  switch (record.touch) {
    case Touch::none:
    case Touch::released:  // by now it is on hold because of somebody else
      break;
    case Touch::expiring:
      return judge_interrupted(message, terms, rules);
    case Touch::holding:
      return {Step::release, Cause::interrupted, last_deadline(message, terms)};
    case Touch::held: {
      // Not at once after a host was off for a week: the operator must have had the time.
      const bool is_over = rules.now - record.since >= kHeldFor &&
                           rules.now - rules.started >= kUpBeforeDiscard;
      return {is_over && rules.obstacle.empty() ? Step::discard : Step::keep, Cause::held,
              record.since + kHeldFor};
    }
  }
  return {Step::keep, Cause::not_deferred, last_deadline(message, terms)};
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
    case Step::expire_several:
      return "expire_several";
    case Step::expire_held:
      return "expire_held";
    case Step::release:
      return "release";
    case Step::resume:
      return "resume";
    case Step::hold:
      return "hold";
    case Step::discard:
      return "discard";
    case Step::redirect:
      return "redirect";
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
    case Cause::refused:
      return "refused";
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
    case Cause::held:
      return "held";
    case Cause::refused_postmaster:
      return "refused_postmaster";
  }
  return "";
}

Judgement judge(const QueuedMessage& message, const Attempts& attempts,
                const Record& record, Terms& terms, const PlanRules& rules) {
  if (message.is_held()) return judge_held(message, record, terms, rules);
  const End end = end_of(message, terms, rules);
  const auto deadline = end.has_due ? end.deadline : last_deadline(message, terms);
  if (!message.is_deferred() || message.recipients.empty()) {
    return {Step::keep, Cause::not_deferred, deadline};
  }
  if (message.is_expired) {
    return {record.touch == Touch::expiring ? Step::resume : Step::keep,
            Cause::interrupted, deadline};
  }
  if (end.redirected_after)
    return judge_refused_postmaster(end, attempts, rules, deadline);
  if (!end.deadline) return {Step::keep, Cause::endless, deadline};
  if (!end.is_there(rules.now)) return {Step::keep, Cause::not_due, deadline};
  auto tried_after = std::max(end.tried_after, rules.started);
  if (record.touch == Touch::held) tried_after = rules.now;  // released just now
  if (record.touch == Touch::released) {
    // There was no attempt in that second before: it was on hold.
    tried_after = std::max(tried_after, record.since - std::chrono::seconds(1));
  }
  const auto last = tried(message, attempts, terms, rules);
  const bool is_complete = has_complete_log(message);
  if (!is_complete || !last || *last <= tried_after) {
    if (record.touch != Touch::held && is_recent(attempts.last, rules.now)) {
      return {Step::keep, Cause::recent_attempt, deadline};
    }
    return {Step::attempt, is_complete ? Cause::no_attempt : Cause::incomplete_log,
            deadline};
  }
  if (!rules.obstacle.empty()) return {Step::keep, Cause::obstacle, deadline};
  return {message.recipients.size() == 1 ? Step::expire : Step::expire_several,
          end.is_refused ? Cause::refused : Cause::due, deadline};
}

bool still_ends(const QueuedMessage& message, Terms& terms, const PlanRules& rules) {
  return message.is_held() && !message.recipients.empty() && has_complete_log(message) &&
         rules.obstacle.empty() && end_of(message, terms, rules).is_there(rules.now);
}

Ending how_to_end(const QueuedMessage& message, Terms& terms) {
  auto strictest = OnRefusal::bounce;
  for (const auto& recipient : message.recipients) {
    strictest = std::max(strictest, terms.of(recipient.address).on_refusal);
  }
  switch (strictest) {
    case OnRefusal::bounce:
      return Ending::bounce;
    case OnRefusal::bounce_verified:
      return is_null(message.sender) ? Ending::hold : Ending::by_sender;
    case OnRefusal::hold:
      break;
  }
  return Ending::hold;
}

void QueuePlan::add(const QueuedMessage& message, const Attempts& attempts) {
  ++listed_;
  const Record record = journal_(message.id);
  auto [step, cause, deadline] = judge(message, attempts, record, terms_, rules_);
  ++causes_[cause];
  if (record.touch == Touch::held && !message.is_held()) released_.push_back(message.id);
  note_spared(message);
  if (cause == Cause::not_due && message.is_deferred()) note_soon(message, *deadline);
  const auto ending = how_to_end(message, terms_);
  const bool ends = step == Step::expire || step == Step::expire_several;
  if (step == Step::expire_held ||
      (ending == Ending::bounce && (ends || cause == Cause::obstacle))) {
    ++due_;
  }
  if (ends && ending == Ending::hold) step = Step::hold;
  if (step == Step::keep) return;
  const bool is_attempt = step == Step::attempt || step == Step::redirect;
  if (is_attempt && attempts_++ >= PlanRules::kMostAttempts) return;
  PlannedStep planned;
  planned.step = step;
  planned.ending = ending;
  planned.id = message.id;
  planned.sender = message.sender;
  planned.arrived = message.arrived;
  planned.deadline = deadline.value_or(Time());
  planned.is_refused = cause == Cause::refused;
  for (const auto& recipient : message.recipients) {
    planned.recipients.push_back(recipient.address);
    if (recipient.delay_reason) planned.reason = *recipient.delay_reason;
    if (step == Step::redirect && goes_to_provider(recipient, terms_, rules_)) {
      planned.postmasters.push_back(postmaster_key(recipient.address));
    }
    const auto& domain = terms_.of(recipient.address).domain;
    if (!domain.empty() && std::find(planned.domains.begin(), planned.domains.end(),
                                     domain) == planned.domains.end()) {
      planned.domains.push_back(domain);
    }
  }
  steps_.push_back(std::move(planned));
}

void QueuePlan::settle(const IsVerified& is_verified) {
  for (auto& one : steps_) {
    const bool ends = one.step == Step::expire || one.step == Step::expire_several;
    if (!ends || one.ending != Ending::by_sender) continue;
    const auto verified = is_verified(one);
    if (!verified) {
      one.step = Step::keep;
    } else if (*verified) {
      ++due_;
    } else {
      one.step = Step::hold;
    }
  }
  std::erase_if(steps_, [](const auto& one) { return one.step == Step::keep; });
}

void QueuePlan::note_spared(const QueuedMessage& message) {
  for (const auto& recipient : message.recipients) {
    if (!is_refused(recipient, terms_)) continue;
    const Term& term = terms_.of(recipient.address);
    if (term.is_endless || !refusals_since(rules_, term.domain)) {
      spared_.insert(term.domain);
    }
  }
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
      case Step::expire_several:
      case Step::keep:
        continue;
      case Step::expire_held:
        steps.push_back(one);
        steps.back().step = Step::release;
        continue;
      case Step::attempt:
      case Step::release:
      case Step::resume:
      case Step::hold:
      case Step::discard:
      case Step::redirect:
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
