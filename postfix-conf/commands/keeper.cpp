// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/command/listing.h"
#include "postfix-conf/commands/apply.h"
#include "postfix-conf/commands/domain_source.h"
#include "postfix-conf/commands/keeper_copies.h"
#include "postfix-conf/commands/keeper_deliveries.h"
#include "postfix-conf/commands/keeper_endings.h"
#include "postfix-conf/commands/keeper_intake.h"
#include "postfix-conf/commands/keeper_news.h"
#include "postfix-conf/commands/keeper_provider.h"
#include "postfix-conf/commands/keeper_recipients.h"
#include "postfix-conf/commands/keeper_recovery.h"
#include "postfix-conf/commands/keeper_senders.h"
#include "postfix-conf/commands/keeper_state.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/postfix/postfix.h"
#include "postfix-conf/queue/held_book.h"
#include "postfix-conf/queue/keeper_book.h"
#include "postfix-conf/queue/plan.h"
#include "postfix-conf/queue/queue_control.h"
#include "postfix-conf/queue/spool.h"
#include "postfix-conf/queue/terms.h"

namespace mxfeed {
namespace {

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
        held_book_(options.state / kKeeperDirectory / kHeldFile,
                   Sqlite::Access::read_write),
        site_(read_keeper_postfix(options.postfix_config, options.state)),
        generated_(read_hosted(options.state)),
        terms_(generated_, lifetime_of_others(generated_)),
        provider_(site_, generated_, terms_, book_, clock.now),
        recovery_(options.state, site_, generated_, terms_, postfix_, control_, book_,
                  provider_.routes(), clock.now),
        backlogs_(terms_, recovery_.trials()),
        intake_(options.state, generated_, terms_),
        copies_(options.state, site_, generated_, terms_, clock.now),
        endings_(postfix_, control_, book_, held_book_, terms_, rules_) {}

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
    rules_.refusals_since = [this](const std::string& domain) {
      return refusals_since(domain);
    };
    rules_.goes_to_provider = [this](const std::string& key) {
      return provider_.takes(key);
    };
    rules_.started = std::max(clock_.booted(), *started);
    rules_.allowed = options_.allow_expiry;
    rules_.suspension = site_.suspension;
    rules_.obstacle = clock_obstacle(mark, clock_);
    if (rules_.obstacle.empty()) {
      rules_.obstacle = obstacle_of(options_, site_, clock_);
    }
    QueuePlan plan = make_plan();
    KeeperSenders senders(site_.config, held_book_, !options_.dry_run, clock_.now);
    plan.settle([&](const PlannedStep& one) { return senders.is_verified(one.id); });
    report(plan);
    const auto steps = plan.steps();
    if (options_.dry_run) {
      for (const auto& one : steps) {
        fmt::print("would {}: {} {}\n", to_string(one.step), one.id,
                   escape_untrusted(fmt::format("{}", fmt::join(one.recipients, " "))));
      }
      return plan.is_braked() ? ExitCode::wrong : ExitCode::fine;
    }
    for (const auto& domain : plan.spared()) held_book_.set_spared(domain, clock_.now);
    if (malformed_ == 0) endings_.note_gone(listed_);
    endings_.note_released(plan.released());
    endings_.carry_out(steps, malformed_ == 0);
    endings_.report();
    KeeperNews news(options_.config, options_.state, site_, book_, terms_, clock_.now);
    if (const auto trouble = source_trouble(options_.state); !trouble.empty()) {
      news.alert({"source", "", trouble});
    }
    tell(plan, news);
    provider_.run(steps, control_, news);
    recovery_.run(backlogs_, news);
    copies_.run(listed_, malformed_ == 0, control_, news);
    tell_of_deliveries(options_.state, site_, generated_, terms_, book_, clock_.now);
    intake_.tell_spam(recovery_.greets());
    if (site_.has_intake) intake_.run(recovery_.greets(), news);
    if (rules_.obstacle.empty()) end_graces();
    book_.prune(clock_.now);
    held_book_.prune(clock_.now);
    note_keeper_run(options_.state, clock_.now);
    // Last: programs of the operator may take minutes.
    refresh_recipients(options_, generated_, book_, news, clock_.now);
    return plan.is_braked() ? ExitCode::wrong : ExitCode::fine;
  }

 private:
  QueuePlan make_plan() {
    QueuePlan plan(terms_, rules_,
                   [this](std::string_view id) { return endings_.record_of(id); });
    // The times first: an attempt that ends meanwhile is seen by the next run.
    const Spool spool(site_.queue_directory);
    malformed_ = postfix_.read_queue([&](const QueuedMessage& message) {
      listed_.insert(message.id);
      backlogs_.add(message);
      intake_.add(message);
      copies_.add(message);
      provider_.add(message);
      plan.add(message, message.is_deferred() ? spool.attempts(message.id) : Attempts());
    });
    return plan;
  }

  // Nothing while its return is tried.
  std::optional<Time> refusals_since(const std::string& domain) const {
    const auto found = recovery_.destinations().find(domain);
    if (found != recovery_.destinations().end() &&
        found->second.passage != Passage::open) {
      return std::nullopt;
    }
    const auto spared = held_book_.spared(domain);
    if (!spared) return Time();
    // It may have been spared until its state was changed.
    return std::max(*spared, last_apply(options_.state).value_or(*spared));
  }

  void report(const QueuePlan& plan) const {
    fmt::print(
        "{}: {} to expire, {} without an attempt after the deadline, {} with an "
        "incomplete defer log\n",
        count_of(plan.listed(), "message"), plan.due(), plan.count(Cause::no_attempt),
        plan.count(Cause::incomplete_log));
    if (plan.count(Cause::obstacle) > 0) {
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

  void tell(const QueuePlan& plan, KeeperNews& news) {
    if (plan.is_braked()) {
      news.alert({"brake", "",
                  fmt::format("{} of {} messages would expire: nothing expires until "
                              "mxfeed keeper run --allow-expiry {}",
                              plan.due(), plan.listed(), plan.due())});
    } else if (const auto stopped = plan.count(Cause::obstacle); stopped > 0) {
      news.alert({"obstacle", "",
                  fmt::format("{} cannot expire: {}", count_of(stopped, "message"),
                              rules_.obstacle)});
    }
    endings_.tell(news);
    for (const auto& [domain, soon] : plan.expiring_soon()) news.warn(domain, soon);
  }

  // Domains that have vanished are refused after a while, without an apply.
  void end_graces() const {
    const auto grace = generated_.use.removal_grace;
    if (std::none_of(
            generated_.hosted.begin(), generated_.hosted.end(), [&](const Hosted& one) {
              return one.intake == Intake::gone && one.gone_since + grace <= clock_.now;
            })) {
      return;
    }
    ApplyOptions renewal;
    renewal.state = options_.state;
    renewal.postfix_config = options_.postfix_config;
    const int status = renew_generation(renewal, {});
    if (status != 0) {
      complain(
          fmt::format("removal_grace was not ended: status {}; the next run tries "
                      "again",
                      status));
    }
  }

  const KeeperOptions& options_;
  const HostClock& clock_;
  const Postfix postfix_;
  const QueueControl control_;
  KeeperBook book_;
  HeldBook held_book_;
  const KeeperPostfix site_;
  const Generated generated_;
  Terms terms_;
  KeeperProvider provider_;
  KeeperRecovery recovery_;
  Backlogs backlogs_;
  KeeperIntake intake_;
  KeeperCopies copies_;
  PlanRules rules_;
  KeeperEndings endings_;
  std::set<std::string, std::less<>> listed_;
  std::size_t malformed_ = 0;
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
