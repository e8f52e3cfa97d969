// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/keeper_endings.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/command/listing.h"

namespace mxfeed {
namespace {

std::vector<std::string> ids_of(const std::vector<PlannedStep>& steps) {
  std::vector<std::string> ids;
  for (const auto& one : steps) ids.push_back(one.id);
  return ids;
}

void log_step(const PlannedStep& step, std::string_view action) {
  LogFields fields;
  fields.add("keeper", action)
      .add("id", step.id)
      .add("sender", step.sender)
      .add("recipients", fmt::format("{}", fmt::join(step.recipients, " ")))
      .add("arrived", utc(step.arrived))
      .add("deadline", utc(step.deadline))
      .add("refused", step.is_refused ? "yes" : "no")
      .add("reason", step.reason);
  log(Severity::notice, fields);
}

void log_id(std::string_view id, std::string_view action) {
  log(Severity::notice, LogFields().add("keeper", action).add("id", id));
}

}  // namespace

Record KeeperEndings::record_of(std::string_view id) const {
  if (open_.contains(id)) return {Touch::expiring, {}, false};
  const auto found = records_.find(id);
  return found == records_.end() ? Record() : found->second;
}

void KeeperEndings::carry_out(const Steps& steps, bool is_whole) {
  std::map<Step, Steps> by_step;
  for (const auto& one : steps) by_step[one.step].push_back(one);
  if (is_whole) close_interrupted(by_step);
  for (const auto& one : by_step[Step::attempt]) control_.attempt(one.id);
  bounce(by_step[Step::resume]);
  expire_single(by_step[Step::expire]);
  Steps complete = std::move(by_step[Step::expire_held]);
  Steps incomplete = std::move(by_step[Step::release]);
  hold_and_look(by_step[Step::expire_several], by_step[Step::hold], complete, incomplete);
  release(incomplete);
  if (!complete.empty()) {
    control_.expire_held(ids_of(complete));
    bounce(complete);
  }
  discard(by_step[Step::discard]);
}

// What an earlier run has begun, and is neither on hold nor waits to be bounced: it was
// not done, or Postfix has finished it.
void KeeperEndings::close_interrupted(const std::map<Step, Steps>& steps) {
  auto ended = open_;
  std::set<std::string, std::less<>> holding;
  for (const auto& [id, record] : records_) {
    if (record.touch == Touch::holding) holding.insert(id);
  }
  for (const Step step : {Step::expire_held, Step::release, Step::resume}) {
    const auto found = steps.find(step);
    if (found == steps.end()) continue;
    for (const auto& one : found->second) {
      ended.erase(one.id);
      holding.erase(one.id);
    }
  }
  book_.finish({ended.begin(), ended.end()}, "ended");
  held_book_.finish({holding.begin(), holding.end()}, HeldBook::Outcome::not_held,
                    rules_.now);
}

void KeeperEndings::expire_single(const Steps& steps) {
  if (steps.empty()) return;
  book_.begin(steps, rules_.now);
  control_.expire(ids_of(steps));
  bounce(steps);
}

// On hold, the defer log of a message does not change.
void KeeperEndings::hold_and_look(const Steps& to_expire, const Steps& to_hold,
                                  Steps& complete, Steps& incomplete) {
  if (to_expire.empty() && to_hold.empty()) return;
  book_.begin(to_expire, rules_.now);
  held_book_.begin(to_hold, rules_.now);
  Steps all = to_expire;
  all.insert(all.end(), to_hold.begin(), to_hold.end());
  control_.hold(ids_of(all));
  std::map<std::string_view, const PlannedStep*> begun;
  for (const auto& one : all) begun.emplace(one.id, &one);
  Steps held;
  postfix_.read_queue([&](const QueuedMessage& message) {
    const auto found = begun.find(message.id);
    if (!message.is_held() || found == begun.end()) return;
    const PlannedStep& step = *found->second;
    Steps& target = !still_ends(message, terms_, rules_) ? incomplete
                    : step.step == Step::hold            ? held
                                                         : complete;
    target.push_back(step);
    begun.erase(found);
  });
  note_held(held);
  // Postfix took them before they were on hold.
  std::vector<std::string> gone;
  for (const auto& [id, step] : begun) gone.emplace_back(id);
  book_.finish(gone, "taken");
  held_book_.finish(gone, HeldBook::Outcome::not_held, rules_.now);
}

void KeeperEndings::release(const Steps& steps) {
  if (steps.empty()) return;
  control_.release(ids_of(steps));
  for (const auto& one : steps) {
    control_.attempt(one.id);
    log_step(one, "release");
  }
  book_.finish(ids_of(steps), "released");
  held_book_.finish(ids_of(steps), HeldBook::Outcome::not_held, rules_.now);
}

// Asks for the delivery round that bounces.  If Postfix does not take the request, the
// next run asks again.
void KeeperEndings::bounce(const Steps& steps) {
  std::vector<std::string> asked;
  for (const auto& one : steps) {
    if (control_.attempt(one.id)) asked.push_back(one.id);
    log_step(one, "expire");
    if (one.is_refused) {
      ++refused_bounced_;
      continue;
    }
    for (const auto& domain : one.domains) ++expired_[domain];
  }
  book_.finish(asked, "bounced");
}

void KeeperEndings::note_held(const Steps& steps) {
  if (steps.empty()) return;
  held_book_.finish(ids_of(steps), HeldBook::Outcome::held, rules_.now);
  for (const auto& one : steps) {
    log_step(one, "hold");
    for (const auto& domain : one.domains) {
      auto& held = held_[domain];
      ++held.messages;
      held.reason = one.reason;
    }
  }
  held_now_ += steps.size();
}

void KeeperEndings::discard(const Steps& steps) {
  if (steps.empty()) return;
  held_book_.begin_discard(ids_of(steps));
  control_.discard(ids_of(steps));
  // Somebody else may have released some of them before.
  std::set<std::string, std::less<>> there;
  postfix_.read_queue([&](const QueuedMessage& message) { there.insert(message.id); });
  std::vector<std::string> discarded;
  for (const auto& one : steps) {
    if (there.contains(one.id)) continue;
    discarded.push_back(one.id);
    log_step(one, "discard");
    for (const auto& domain : one.domains) ++discarded_[domain];
  }
  discarded_now_ += discarded.size();
  held_book_.finish(discarded, HeldBook::Outcome::discarded, rules_.now);
}

void KeeperEndings::note_released(const std::vector<std::string>& ids) {
  held_book_.finish(ids, HeldBook::Outcome::released, rules_.now);
  for (const auto& id : ids) log_id(id, "released-by-others");
}

void KeeperEndings::note_gone(const std::set<std::string, std::less<>>& listed) {
  std::vector<std::string> discarded, gone;
  for (const auto& [id, record] : records_) {
    if (record.touch != Touch::held || listed.contains(id)) continue;
    (record.is_discarding ? discarded : gone).push_back(id);
    log_id(id, record.is_discarding ? "discard" : "deleted-by-others");
  }
  discarded_now_ += discarded.size();
  held_book_.finish(discarded, HeldBook::Outcome::discarded, rules_.now);
  held_book_.finish(gone, HeldBook::Outcome::gone, rules_.now);
}

void KeeperEndings::report() const {
  if (refused_bounced_ + held_now_ + discarded_now_ == 0) return;
  fmt::print("{} refused and bounced, {} put on hold, {} deleted after {} days\n",
             refused_bounced_, held_now_, discarded_now_,
             std::chrono::duration_cast<std::chrono::hours>(kHeldFor).count() / 24);
}

void KeeperEndings::tell(KeeperNews& news) const {
  for (const auto& [domain, count] : expired_) {
    news.alert(
        {"expired", domain,
         fmt::format("{} expired: bounced to its sender", count_of(count, "message"))});
  }
  for (const auto& [domain, held] : held_) {
    news.alert({"held", domain,
                fmt::format("{} put on hold for seven days instead of a bounce: the "
                            "sender is not verified, or on_refusal is \"hold\" ({})",
                            count_of(held.messages, "message"), held.reason)});
  }
  for (const auto& [domain, count] : discarded_) {
    news.alert(
        {"discarded", domain,
         fmt::format("{} deleted after seven days on hold", count_of(count, "message"))});
  }
}

}  // namespace mxfeed
