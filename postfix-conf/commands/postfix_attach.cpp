// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/postfix_attach.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/command/daemon_status.h"
#include "common/command/listing.h"
#include "common/mail/held_address.h"
#include "postfix-conf/commands/apply.h"
#include "postfix-conf/commands/health.h"
#include "postfix-conf/commands/plan_report.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/generate/overlay.h"
#include "postfix-conf/generate/quarantine_services.h"
#include "postfix-conf/postfix/attach/effects.h"
#include "postfix-conf/postfix/attach/sessions.h"
#include "postfix-conf/postfix/attach/sockets.h"
#include "postfix-conf/postfix/attach/survey.h"
#include "postfix-conf/postfix/attach/writing.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// How long detach waits for sessions in which mail for our domains may still be taken.
constexpr seconds kSessionsEnd{10};
constexpr milliseconds kPoll{100};

// Held while the files are edited.
Fd locked(const Postfix& postfix) {
  auto lock = lock_files(postfix);
  if (!lock) {
    throw CommandError(ExitCode::try_later,
                       fmt::format("{}: another mxfeed is changing it; try again later",
                                   postfix.config().string()));
  }
  return *std::move(lock);
}

// The generation that Postfix uses.
Generated read_generation_in_force(const fs::path& state) {
  const Generations generations(state);
  const auto number = generations.number_of(Generations::kCurrentPostfix);
  if (!number) {
    throw CommandError(ExitCode::wrong, "no generation is in force: run mxfeed apply");
  }
  if (number != generations.number_of(Generations::kCurrent)) {
    throw CommandError(
        ExitCode::wrong,
        "the milters use another generation than Postfix: run mxfeed apply");
  }
  return generations.load(*number);
}

PostfixNeeds needs_of(const Generated& generated) {
  return {generated.main_cf, generated.master_cf, generated.use, generated.site};
}

// What attach is about to do.
class Preparation {
 public:
  Preparation(const AttachOptions& options, const Postfix& postfix)
      : generated_(read_generation_in_force(options.state)),
        found_(survey(postfix, generated_.use, options.state)) {
    const Site made_for = generated_.site;
    fit_site(generated_, found_.site.reading.site, options.state.string());
    fits_ = generated_.site == made_for;
    needs_ = needs_of(generated_);
    found_.site.same = find_same_domains(postfix, found_.site.settings, generated_);
    conflicts_ = find_conflicts(found_.site, needs_);
    find_other_listener();
    plan_ = plan_attach(found_.files, found_.site.settings, needs_);
  }

  const Survey& found() const { return found_; }
  const PostfixNeeds& needs() const { return needs_; }
  const std::vector<Conflict>& conflicts() const { return conflicts_; }
  const Plan& plan() const { return plan_; }
  // Whether the generation in force was made for this Postfix as it is.
  bool fits() const { return fits_; }
  fs::path queue() const { return std::string(found_.now.parameter("queue_directory")); }

  void print(PlanReport& report) const {
    report.changes(plan_.changes);
    report.lines("also_affects", "also affects other mail",
                 plan_.changes.empty()
                     ? std::vector<std::string>()
                     : also_affects(found_.site.settings, needs_, plan_));
    report.lines(
        "site_checks",
        "checks of this Postfix that also apply to mail for the configured domains",
        strikes(found_.site.settings, needs_));
    report.lines("not_in_force", "not in force",
                 not_in_force(found_.site.settings, needs_));
    report.conflicts(conflicts_);
  }

 private:
  // At the port of the intake, before Postfix itself has it: master(8) ends if it cannot
  // bind.
  void find_other_listener() {
    const std::string port(intake_port_of(needs_.master_cf));
    const auto number = parse_unsigned(port);
    const auto is_there = [&](const PostfixService& one) {
      return one.name.ends_with(fmt::format(":{}/inet", port)) ||
             one.name == port + "/inet";
    };
    const auto& services = found_.now.services;
    if (!number || std::any_of(services.begin(), services.end(), is_there) ||
        !is_port_in_use(static_cast<std::uint16_t>(*number))) {
      return;
    }
    conflicts_.push_back(
        {Trouble::port_taken, "",
         fmt::format("another program listens at the port {}, where the quarantine host "
                     "takes mail",
                     port),
         "in [quarantine] of mxfeed.toml: another port, on all hosts; then mxfeed "
         "apply"});
  }

  Generated generated_;
  Survey found_;
  bool fits_ = false;
  PostfixNeeds needs_;
  std::vector<Conflict> conflicts_;
  Plan plan_;
};

// The daemons without which mail gets 451.
constexpr const char* kScanners[] = {"virus", "scan"};

[[noreturn]] void refuse(const Alarm& alarm, std::string_view advice) {
  throw CommandError(
      alarm.code,
      fmt::format("danger: {}: {}: mail would get 451; nothing was changed. {}",
                  describe(alarm.code), alarm.text, advice));
}

// Attaching would put off all mail.  A socket tells only that systemd(1) listens.
void refuse_without_scanner(const Preparation& preparation, const fs::path& state) {
  for (const auto& socket :
       unusable_sockets(preparation.found().now, preparation.needs())) {
    if (!is_scanner(socket.milter)) continue;
    refuse({ExitCode::not_running, socket.text},
           "Start mxfeed-virus first, or correct its socket");
  }
  for (const auto* const name : kScanners) {
    const auto daemon = ask_daemon(state, name);
    const auto alarm = why_not_serving(daemon);
    if (!alarm) continue;
    if (alarm->code != ExitCode::not_running) refuse(*alarm, "Then attach again");
    refuse(*alarm,
           daemon.field("state") == "down"
               ? fmt::format("Start mxfeed-{} first; if it has failed, its log has the "
                             "cause",
                             name)
               : fmt::format("Attach again when mxfeed-{} is running", name));
  }
}

// Takes Postfix from the generation.
class Detachment {
 public:
  Detachment(const AttachOptions& options, PlanReport& report)
      : options_(options), postfix_(options.postfix_config), report_(report) {}

  ExitCode run() {
    std::optional<Fd> lock;
    if (!options_.dry_run) lock = locked(postfix_);
    const PostfixFiles files = read_files(postfix_);
    const auto state = attach_state(files);
    if (state == AttachState::detached) {
      report_.changes({});
      report_.say(fmt::format("{}: not attached", options_.postfix_config.string()));
      return ExitCode::fine;
    }
    report_.changes(plan_detach(files, Routes::remove).changes);
    if (options_.dry_run) {
      report_.say("dry run: nothing was written");
      return ExitCode::fine;
    }
    queue_ = std::string(postfix_.settings().parameter("queue_directory"));
    is_running_ = postfix_.is_running();
    if (state != AttachState::detaching) {
      write(plan_detach(files, Routes::keep));
      report_.say("Postfix no longer accepts mail for the configured domains");
    }
    if (const auto cause = why_keep()) {
      report_.set("routes", "kept");
      report_.say(
          fmt::format("the routes are kept: {}; run mxfeed postfix detach again "
                      "later",
                      *cause));
      return ExitCode::try_later;
    }
    write(plan_detach(read_files(postfix_), Routes::remove));
    report_.set("routes", "removed");
    report_.say(fmt::format("{}: detached", options_.postfix_config.string()));
    return ExitCode::fine;
  }

 private:
  void write(const Plan& plan) const { write_plan(postfix_, plan, queue_, is_running_); }

  // Why mail may be left without a route; nothing if none is.
  std::optional<std::string> why_keep() const {
    if (const auto open = open_sessions(); open > 0) {
      return fmt::format("{} from before may still bring mail",
                         count_of(open, "session"));
    }
    // Postfix has never run.
    std::error_code error;
    if (!fs::exists(queue_ / "active", error) && !error) return std::nullopt;
    try {
      const auto keys = route_keys();
      if (!keys) {
        if (!postfix_.has_mail()) return std::nullopt;
        return "mail waits, and for which domains is not known without a generation";
      }
      const auto waiting = postfix_.waiting(*keys);
      if (waiting.empty()) return std::nullopt;
      return fmt::format("mail waits for {}", count_of(waiting.size(), "domain"));
    } catch (const Fault& fault) {
      return fmt::format("whether mail waits is not known: {}", fault.what());
    }
  }

  // Those that began while mail for our domains was taken.
  std::size_t open_sessions() const {
    if (!is_running_) return 0;
    const auto deadline = steady_clock::now() + kSessionsEnd;
    for (;;) {
      const auto all = smtpd_processes(queue_);
      const auto open =
          static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](auto& one) {
            return one.has_filters || one.service.empty();
          }));
      if (open == 0 || steady_clock::now() >= deadline) return open;
      std::this_thread::sleep_for(kPoll);
    }
  }

  // Of the generation that Postfix uses; nothing if that is gone or damaged.
  std::optional<std::set<RelayKey>> route_keys() const {
    // What is to be held, here or on the quarantine host.
    std::set<RelayKey> keys{std::string(kQuarantineDomain)};
    const auto has_route = [](Row row) { return is_relayed(row) || row == Row::kept; };
    Generated generated;
    try {
      const Generations generations(options_.state);
      const auto number = generations.number_of(Generations::kCurrentPostfix);
      if (!number) return std::nullopt;
      generated = generations.load(*number);
    } catch (const Fault&) {
      return std::nullopt;
    }
    for (const auto& one : generated.hosted) {
      if (has_route(one.own)) keys.insert(one.name);
      if (has_route(one.below)) keys.insert("." + one.name);
    }
    return keys;
  }

  const AttachOptions& options_;
  const Postfix postfix_;
  PlanReport& report_;
  fs::path queue_;
  bool is_running_ = false;
};

}  // namespace

ExitCode show_postfix_diff(const AttachOptions& options) {
  PlanReport report(options.json);
  const Preparation preparation(options, Postfix(options.postfix_config));
  preparation.print(report);
  if (!preparation.conflicts().empty()) return report.finish(ExitCode::wrong);
  return report.finish(preparation.plan().changes.empty() ? ExitCode::fine
                                                          : ExitCode::differs);
}

ExitCode attach_postfix(const AttachOptions& options) {
  PlanReport report(options.json);
  const Postfix postfix(options.postfix_config);
  std::optional<Fd> lock;
  if (!options.dry_run) lock = locked(postfix);
  const Preparation preparation(options, postfix);
  preparation.print(report);
  if (!preparation.conflicts().empty()) {
    complain(fmt::format("{}; nothing was changed",
                         count_of(preparation.conflicts().size(), "conflict")));
    return report.finish(ExitCode::wrong);
  }
  if (options.dry_run) {
    report.say("dry run: nothing was written");
    return report.finish(ExitCode::fine);
  }
  const bool is_running = postfix.is_running();
  if (is_running) refuse_without_scanner(preparation, options.state);
  if (!preparation.fits()) {
    ApplyOptions apply;
    apply.config = options.config;
    apply.state = options.state;
    apply.postfix_config = options.postfix_config;
    apply.json = options.json;
    const int status = fit_generation(apply, preparation.found().site.reading.site);
    if (status != 0) return report.finish(ExitCode{status});
  }
  ensure_overlays(options.state);
  const auto open =
      write_plan(postfix, preparation.plan(), preparation.queue(), is_running);
  if (open > 0 && attach_state(preparation.plan().first) == AttachState::accepting) {
    complain(
        fmt::format("danger: {}: {} from before the filters still takes mail for the "
                    "configured domains; run mxfeed postfix attach again later",
                    describe(ExitCode::unscanned), count_of(open, "session")));
    return report.finish(ExitCode::unscanned);
  }
  if (open > 0) {
    report.say(fmt::format(
        "mail for the configured domains is not accepted yet: {} from before would take "
        "it unscanned; run mxfeed postfix attach again later",
        count_of(open, "session")));
    return report.finish(ExitCode::try_later);
  }
  if (!is_running) report.say("Postfix is not running: it uses this when it is started");
  Health health = look_at_health(options.state, options.postfix_config, Scope::in_use);
  if (health.attachment) {
    report.set("state", to_string(*health.attachment));
    report.say(fmt::format("{}: {}", options.postfix_config.string(),
                           to_string(*health.attachment)));
  } else {
    health.alarms.push_back(
        {ExitCode::wrong, "Postfix was not checked: " + health.not_asked});
  }
  report.set("alarms", json_of(health.alarms));
  return report.finish(print_alarms(health));
}

ExitCode detach_postfix(const AttachOptions& options) {
  PlanReport report(options.json);
  const ExitCode code = Detachment(options, report).run();
  return report.finish(code);
}

ExitCode show_postfix_status(const AttachOptions& options) {
  PlanReport report(options.json);
  Health health = look_at_health(options.state, options.postfix_config, Scope::in_use);
  if (!health.attachment) {
    health.alarms.push_back(
        {ExitCode::wrong, "Postfix was not checked: " + health.not_asked});
  } else {
    report.set("state", to_string(*health.attachment));
    report.say(fmt::format("{}: {}", options.postfix_config.string(),
                           to_string(*health.attachment)));
    Json differing = Json::list();
    for (const auto& name : health.attachment->differing) differing.add(name);
    report.set("differing", std::move(differing));
    const auto state = health.attachment->state;
    if (state == AttachState::detached) {
      health.alarms.push_back(
          {ExitCode::differs, fmt::format("{}: not attached: run mxfeed postfix attach",
                                          options.postfix_config.string())});
    } else if (state == AttachState::detaching || state == AttachState::partly) {
      health.alarms.push_back(
          {ExitCode::differs,
           fmt::format("{}: {}: run mxfeed postfix {} again",
                       options.postfix_config.string(), to_string(*health.attachment),
                       state == AttachState::detaching ? "detach" : "attach")});
    }
  }
  report.set("dangers", json_of(health.alarms));
  return report.finish(print_alarms(health));
}

}  // namespace mxfeed
