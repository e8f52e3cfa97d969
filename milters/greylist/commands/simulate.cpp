// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/commands/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/command/line_operand.h"
#include "common/command/listing.h"
#include "common/command/owner.h"
#include "common/net/resolver.h"
#include "common/policy/policy_db.h"
#include "milters/greylist/simulation/attempts.h"
#include "milters/greylist/simulation/simulation.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

// One check of each client and sender's domain.
class SpfDesk {
 public:
  explicit SpfDesk(seconds budget) : budget_(budget) {}

  spf::Verdict check(const Envelope& envelope) {
    const std::string key =
        envelope.client.address->str() + ' ' +
        (envelope.sender.empty()
             ? envelope.helo
             : envelope.sender.substr(envelope.sender.rfind('@') + 1));
    const auto found = known_.find(key);
    if (found != known_.end()) return found->second;
    auto lookup = resolver_.by(std::chrono::steady_clock::now() + budget_);
    const spf::Session session{*envelope.client.address, envelope.helo, envelope.sender};
    if (known_.size() >= kMostKnown) known_.clear();
    return known_[key] = spf::check_mail_from(session, lookup);
  }

 private:
  static constexpr std::size_t kMostKnown = 100'000;

  const seconds budget_;
  dns::Resolver resolver_{{}};
  std::map<std::string, spf::Verdict> known_;
};

struct Log {
  std::size_t lines = 0;
  std::size_t used_lines = 0;
  std::size_t incomplete = 0;
  std::size_t steps_back = 0;
};

SimulationResult replay_log(LineOperand& operand, const SimulationSettings& settings,
                            Log& log) {
  Simulation simulation(settings);
  AttemptReader reader(system_time(),
                       [&](const Attempt& attempt) { simulation.take(attempt); });
  const std::size_t left_out = operand.each([&](std::string_view line) {
    ++log.lines;
    reader.see(line);
  });
  reader.finish();
  log.lines += left_out;
  log.used_lines = reader.used_lines();
  log.incomplete = reader.incomplete();
  log.steps_back = reader.steps_back();
  return simulation.finish();
}

double share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

constexpr std::array kKinds = {IdentityKind::domain, IdentityKind::name,
                               IdentityKind::network};

Json json_of(const SimulationResult::ByKind& counts) {
  Json json = Json::object();
  for (const auto kind : kKinds) {
    json.set(to_string(kind), counts.at(static_cast<std::size_t>(kind)));
  }
  return json;
}

Json json_of(const Log& log, const SimulationResult& result, bool with_spf) {
  Json days = Json::list();
  for (const auto& [date, day] : result.days) {
    days.add(Json::object()
                 .set("date", date)
                 .set("messages", day.messages)
                 .set("delayed", day.delayed));
  }
  return Json::object()
      .set("lines", log.lines)
      .set("used_lines", log.used_lines)
      .set("steps_back", log.steps_back)
      .set("incomplete", log.incomplete)
      .set("first", utc(result.first))
      .set("last", utc(result.last))
      .set("spf", with_spf)
      .set("messages", result.messages())
      .set("exempt", result.exempt)
      .set("at_once", json_of(result.at_once))
      .set("delayed", json_of(result.delayed))
      .set("delayed_share", share(result.all_delayed(), result.messages()))
      .set("wait_seconds_p50", result.percentile(0.5).count())
      .set("wait_seconds_p95", result.percentile(0.95).count())
      .set("waits_from_log", result.waits_from_log)
      .set("waits_assumed", result.waits.size() - result.waits_from_log)
      .set("not_accepted", Json::object()
                               .set("never_back", result.never_back)
                               .set("would_pass", result.passed)
                               .set("undecided", result.undecided))
      .set("days", std::move(days));
}

std::string text_of(const SimulationResult::ByKind& counts) {
  std::string text;
  for (const auto kind : kKinds) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", to_string(kind),
                        counts.at(static_cast<std::size_t>(kind)));
  }
  return text;
}

void print(const Log& log, const SimulationResult& result, bool with_spf) {
  const std::size_t all = result.messages();
  const std::size_t late = result.all_delayed();
  fmt::print("log: {} to {}, {} of {} lines used\n", utc(result.first), utc(result.last),
             log.used_lines, log.lines);
  fmt::print("accepted by the site: {}, and {} that would be exempt\n",
             count_of(all, "message"), result.exempt);
  fmt::print("at once: {} ({:.1f} %), by identity: {}\n", all - late,
             100 * share(all - late, all), text_of(result.at_once));
  fmt::print("delayed: {} ({:.1f} %), by identity: {}\n", late, 100 * share(late, all),
             text_of(result.delayed));
  fmt::print(
      "wait of the delayed: half up to {} s, 95 % up to {} s; {} from the log, {} "
      "assumed\n",
      result.percentile(0.5).count(), result.percentile(0.95).count(),
      result.waits_from_log, result.waits.size() - result.waits_from_log);
  fmt::print(
      "greylisted by the site and never accepted: {} never came back, {} would pass "
      "here, {} undecided\n",
      result.never_back, result.passed, result.undecided);
  fmt::print(
      "assumed: a delayed message comes again when its wait is over, unless the log "
      "shows its tries; {}\n\n",
      with_spf ? "SPF as it is today"
               : "SPF is not checked (--spf does); with it fewer are delayed");
  Listing listing(
      {{"day", 10}, {"messages", 8, true}, {"delayed", 8, true}, {"share", 7, true}},
      false);
  for (const auto& [date, day] : result.days) {
    listing.row({date, day.messages, day.delayed,
                 fmt::format("{:.1f} %", 100 * share(day.delayed, day.messages))});
  }
}

ExitCode replay(const Arguments& arguments) {
  LineOperand operand(arguments.operands()[0]);
  const PolicyDb policy = open_policy(arguments.state());
  const bool takes_all = arguments.has("--all-domains");
  if (policy.gateway().generation == 0 && !takes_all) {
    throw CommandError(ExitCode::wrong,
                       "no configuration is in force: mxfeed apply, or --all-domains");
  }
  become_daemon(arguments.state(), "greylist");
  SimulationSettings settings;
  settings.gateway = policy.gateway();
  settings.domain = [&](std::string_view name) {
    auto domain = policy.find_own(name);
    if (!domain && takes_all) {
      domain.emplace();
      domain->name = name;
    }
    return domain;
  };
  const bool with_spf = arguments.has("--spf");
  std::unique_ptr<SpfDesk> spf;
  if (with_spf) {
    spf = std::make_unique<SpfDesk>(
        std::max(settings.gateway.greylist.spf_timeout, seconds(2)));
  }
  settings.spf = [&](const Envelope& envelope) {
    return spf ? spf->check(envelope) : spf::Verdict();
  };
  Log log;
  const SimulationResult result = replay_log(operand, settings, log);
  if (arguments.json()) {
    fmt::print("{}\n", json_of(log, result, with_spf).str());
  } else {
    print(log, result, with_spf);
  }
  if (log.steps_back > 0) {
    fmt::print(
        stderr,
        "mxfeed: the log goes back in time {}, so this is inexact: give its oldest "
        "part first\n",
        count_of(log.steps_back, "time"));
  }
  if (result.messages() == 0) {
    fmt::print(stderr, "mxfeed: the log has no message to a configured domain\n");
    return ExitCode::wrong;
  }
  return ExitCode::fine;
}

}  // namespace

Command simulate_command() {
  return {"greylist simulate",
          "Tell what greylisting would have done with the mail of a log",
          {{"--all-domains", "", "Take other recipient domains too, with the defaults"},
           {"--spf", "", "Check SPF, as it is today"},
           kJson},
          {{"LOG", "Postfix's log; \"-\" is standard input", Takes::file}},
          replay};
}

}  // namespace mxfeed::greylist
