// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/command/listing.h"
#include "postfix-conf/commands/keeper_deliveries.h"
#include "postfix-conf/commands/keeper_news.h"
#include "postfix-conf/commands/keeper_recipients.h"
#include "postfix-conf/commands/keeper_recovery.h"
#include "postfix-conf/commands/keeper_state.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/postfix/postfix.h"
#include "postfix-conf/queue/keeper_book.h"
#include "postfix-conf/queue/plan.h"
#include "postfix-conf/queue/queue_control.h"
#include "postfix-conf/queue/spool.h"
#include "postfix-conf/queue/terms.h"

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
      .add("reason", step.reason);
  log(Severity::notice, fields);
}

// Why nothing may expire, besides the clock; empty if it may.
std::string obstacle_of(const KeeperOptions& options, const KeeperPostfix& postfix,
                        const HostClock& clock) {
  if (!has_applied_since_boot(options.state, clock.boot_id)) {
    return "there was no mxfeed apply since this host started";
  }
  if (!postfix.has_long_ids) {
    return "enable_long_queue_ids is no: an id may soon mean another message";
  }
  return {};
}

class KeeperRun {
 public:
  KeeperRun(const KeeperOptions& options, const HostClock& clock, int lock)
      : options_(options),
        clock_(clock),
        postfix_(options.postfix_config),
        control_(options.postfix_config, lock),
        book_(options.state / kKeeperDirectory / "keeper.db"),
        site_(read_keeper_postfix(options.postfix_config, options.state)),
        generated_(read_hosted(options.state)),
        terms_(generated_, lifetime_of_others(generated_)),
        open_(book_.open()),
        recovery_(options.state, site_, generated_, terms_, postfix_, control_, book_,
                  clock.now),
        backlogs_(terms_, recovery_.trials()) {}

  ExitCode run() {
    const auto mark = next_mark(book_.clock(), clock_);
    if (!options_.dry_run) book_.set_clock(mark);
    const auto started = postfix_started(site_.queue_directory);
    if (!started) {
      complain("note: Postfix is not running");
      return ExitCode::fine;
    }
    rules_.now = clock_.now;
    rules_.found_down = [this](const std::string& domain) -> std::optional<Time> {
      const auto found = recovery_.destinations().find(domain);
      if (found == recovery_.destinations().end() || found->second.failures == 0) {
        return std::nullopt;
      }
      return found->second.probed;
    };
    rules_.started = std::max(clock_.booted(), *started);
    rules_.allowed = options_.allow_expiry;
    rules_.suspension = site_.suspension;
    rules_.obstacle = clock_obstacle(mark, clock_);
    if (rules_.obstacle.empty()) {
      rules_.obstacle = obstacle_of(options_, site_, clock_);
    }
    const QueuePlan plan = make_plan();
    report(plan);
    const auto steps = plan.steps();
    if (options_.dry_run) {
      for (const auto& one : steps) {
        fmt::print("would {}: {} {}\n", to_string(one.step), one.id,
                   escape_untrusted(fmt::format("{}", fmt::join(one.recipients, " "))));
      }
      return plan.is_braked() ? ExitCode::wrong : ExitCode::fine;
    }
    carry_out(steps);
    KeeperNews news(options_.config, site_, book_, terms_, clock_.now);
    tell(plan, news);
    recovery_.run(backlogs_, news);
    tell_of_deliveries(options_.state, site_, generated_, terms_, book_, clock_.now);
    refresh_recipients(options_, generated_, book_, news, clock_.now);
    book_.prune(clock_.now);
    note_keeper_run(options_.state, clock_.now);
    return plan.is_braked() ? ExitCode::wrong : ExitCode::fine;
  }

 private:
  QueuePlan make_plan() {
    QueuePlan plan(terms_, rules_,
                   [this](std::string_view id) { return open_.contains(id); });
    // The times first: an attempt that ends meanwhile is seen by the next run.
    const Spool spool(site_.queue_directory);
    malformed_ = postfix_.read_queue([&](const QueuedMessage& message) {
      backlogs_.add(message);
      plan.add(message, message.is_deferred() ? spool.attempts(message.id) : Attempts());
    });
    return plan;
  }

  void report(const QueuePlan& plan) const {
    fmt::print(
        "{}: {} to expire, {} without an attempt after the deadline, {} with an "
        "incomplete defer log\n",
        count_of(plan.listed(), "message"), plan.due(), plan.count(Cause::no_attempt),
        plan.count(Cause::incomplete_log));
    if (plan.due() > 0 && !rules_.obstacle.empty()) {
      complain(fmt::format("nothing expires: {}", rules_.obstacle));
    }
    if (plan.is_braked()) {
      complain(
          fmt::format("refused: {} of {} messages would expire; if this is intended, "
                      "use mxfeed keeper run --allow-expiry {}",
                      plan.due(), plan.listed(), plan.due()));
    }
    if (malformed_ > 0) {
      complain(
          fmt::format("warning: postqueue: {} malformed", count_of(malformed_, "line")));
    }
  }

  void carry_out(const std::vector<PlannedStep>& steps) {
    std::map<Step, std::vector<PlannedStep>> by_step;
    for (const auto& one : steps) by_step[one.step].push_back(one);
    // What an earlier run has begun, and is neither on hold nor waits to be bounced: it
    // was not done, or Postfix has finished it.
    auto ended = open_;
    for (const Step step : {Step::expire_held, Step::release, Step::resume}) {
      for (const auto& one : by_step[step]) ended.erase(one.id);
    }
    book_.finish({ended.begin(), ended.end()}, "ended");

    for (const auto& one : by_step[Step::attempt]) control_.attempt(one.id);
    bounce(by_step[Step::resume]);
    expire_single(by_step[Step::expire]);
    expire_several(by_step[Step::hold], by_step[Step::expire_held],
                   by_step[Step::release]);
  }

  void expire_single(const std::vector<PlannedStep>& steps) {
    if (steps.empty()) return;
    book_.begin(steps, clock_.now);
    control_.expire(ids_of(steps));
    bounce(steps);
  }

  void expire_several(const std::vector<PlannedStep>& to_hold,
                      std::vector<PlannedStep> complete,
                      std::vector<PlannedStep> incomplete) {
    if (!to_hold.empty()) {
      book_.begin(to_hold, clock_.now);
      control_.hold(ids_of(to_hold));
      judge_held(to_hold, complete, incomplete);
    }
    if (!incomplete.empty()) {
      control_.release(ids_of(incomplete));
      for (const auto& one : incomplete) {
        control_.attempt(one.id);
        log_step(one, "release");
      }
      book_.finish(ids_of(incomplete), "released");
    }
    if (complete.empty()) return;
    control_.expire_held(ids_of(complete));
    bounce(complete);
  }

  // On hold, the defer log of a message does not change.
  void judge_held(const std::vector<PlannedStep>& to_hold,
                  std::vector<PlannedStep>& complete,
                  std::vector<PlannedStep>& incomplete) {
    std::map<std::string_view, const PlannedStep*> begun;
    for (const auto& one : to_hold) begun.emplace(one.id, &one);
    postfix_.read_queue([&](const QueuedMessage& message) {
      const auto found = begun.find(message.id);
      if (!message.is_held() || found == begun.end()) return;
      const auto judged = judge(message, {}, true, terms_, rules_);
      (judged.step == Step::expire_held ? complete : incomplete)
          .push_back(*found->second);
      begun.erase(found);
    });
    // Postfix took them before they were on hold.
    std::vector<std::string> gone;
    for (const auto& [id, step] : begun) gone.emplace_back(id);
    book_.finish(gone, "taken");
  }

  // Asks for the delivery round that bounces.  If Postfix does not take the request, the
  // next run asks again.
  void bounce(const std::vector<PlannedStep>& steps) {
    std::vector<std::string> asked;
    for (const auto& one : steps) {
      if (control_.attempt(one.id)) asked.push_back(one.id);
      log_step(one, "expire");
      for (const auto& domain : one.domains) ++expired_[domain];
    }
    book_.finish(asked, "bounced");
  }

  void tell(const QueuePlan& plan, KeeperNews& news) {
    if (plan.is_braked()) {
      news.alert({"brake", "",
                  fmt::format("{} of {} messages would expire: nothing expires until "
                              "mxfeed keeper run --allow-expiry {}",
                              plan.due(), plan.listed(), plan.due())});
    } else if (plan.due() > 0 && !rules_.obstacle.empty()) {
      news.alert({"obstacle", "",
                  fmt::format("{} cannot expire: {}", count_of(plan.due(), "message"),
                              rules_.obstacle)});
    }
    for (const auto& [domain, count] : expired_) {
      news.alert(
          {"expired", domain,
           fmt::format("{} expired: bounced to its sender", count_of(count, "message"))});
    }
    for (const auto& [domain, soon] : plan.expiring_soon()) news.warn(domain, soon);
  }

  const KeeperOptions& options_;
  const HostClock& clock_;
  const Postfix postfix_;
  const QueueControl control_;
  KeeperBook book_;
  const KeeperPostfix site_;
  const Generated generated_;
  Terms terms_;
  const std::set<std::string, std::less<>> open_;
  KeeperRecovery recovery_;
  Backlogs backlogs_;
  PlanRules rules_;
  std::size_t malformed_ = 0;
  std::map<std::string, std::size_t> expired_;  // by domain
};

}  // namespace

ExitCode run_keeper(const KeeperOptions& options, const HostClock& clock) {
  // A server may close a connection at any time.
  std::signal(SIGPIPE, SIG_IGN);
  const auto lock = lock_keeper(options.state);
  if (!lock) {
    complain("note: another keeper is running");
    return ExitCode::fine;
  }
  return KeeperRun(options, clock, lock->get()).run();
}

}  // namespace mxfeed
