// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/health.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/base/unix_socket.h"
#include "common/command/listing.h"
#include "common/policy/policy_db.h"
#include "postfix-conf/commands/domain_source.h"
#include "postfix-conf/commands/quarantine_host.h"
#include "postfix-conf/commands/recipients_client.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/postfix/attach/sockets.h"
#include "postfix-conf/postfix/attach/survey.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {
namespace {

constexpr const char* kDaemons[] = {"greylist", "virus", "scan", "spam"};
// Only some sites have it.
constexpr const char* kRecipients = "recipients";

ExitCode code_of(Danger danger) {
  switch (danger) {
    case Danger::unscanned:
      return ExitCode::unscanned;
    case Danger::open_relay:
      return ExitCode::open_relay;
    case Danger::unsupported_map:
      return ExitCode::unsupported_map;
    case Danger::differs:
      return ExitCode::differs;
  }
  return ExitCode::wrong;
}

// Whether it is dangerous even if Postfix takes no mail for our domains.
bool is_always_dangerous(Danger danger) {
  return danger == Danger::open_relay || danger == Danger::unsupported_map;
}

std::string name_of(const DaemonStatus& daemon) {
  return "mxfeed-" + daemon.name;
}

// Mail for domains that ask mxfeed-recipients is put off while it does not answer.
void judge_call_outs(const std::filesystem::path& queue_directory,
                     const Generated& generated, Health& health) {
  std::size_t count = 0;
  const Hosted* first = nullptr;
  for (const auto& one : generated.hosted) {
    if (!one.callout || !(is_relayed(one.own) || is_relayed(one.below))) continue;
    if (++count == 1) first = &one;
  }
  if (count == 0) return;
  try {
    RecipientsClient(queue_directory).check();
  } catch (const Fault& fault) {
    health.alarms.push_back(
        {ExitCode::not_running,
         fmt::format("{}: new mail for {} with recipients = \"callout\" is put off{}",
                     fault.what(), count_of(count, "domain"),
                     count == 1 ? fmt::format(" ({})", first->name)
                                : fmt::format(" (the first is {})", first->name))});
  }
}

// What is to be held waits in the queue while mxfeed-quarantine, or the host that holds
// for all, does not answer.
void judge_quarantine(const std::filesystem::path& queue_directory,
                      const Generated& generated, Scope scope, Health& health) {
  const auto& host = generated.use.quarantine_host;
  if (!host.empty()) {
    // What happens to another host is no reason for apply and attach to end badly here.
    if (scope != Scope::everything) return;
    if (const auto cause = why_host_takes_none(generated)) {
      health.alarms.push_back(
          {ExitCode::not_running,
           fmt::format("{}: the quarantine host takes no mail: {}: mail that is to be "
                       "held waits in the queue",
                       escape_untrusted(host), *cause)});
    }
    return;
  }
  if (!generated.gateway.quarantine.is_reachable) return;
  const auto socket = queue_directory / "mxfeed/quarantine.sock";
  if (is_listened_at(socket)) return;
  health.alarms.push_back(
      {ExitCode::not_running,
       fmt::format("{}: mxfeed-quarantine is not running: mail that is to be held "
                   "waits in the queue",
                   socket.string())});
}

// Looks at all that is about the domains of the generation that Postfix uses.
void search_site(const Postfix& postfix, const std::filesystem::path& state, Scope scope,
                 Survey& found, Health& health) {
  Generated generated;
  try {
    generated = Generations(state).load(*health.postfix);
  } catch (const Fault& fault) {
    health.alarms.push_back(
        {ExitCode::wrong, fmt::format("{}: run mxfeed apply", fault.what())});
    return;
  }
  found.site.same = find_same_domains(postfix, found.site.settings, generated);
  judge_call_outs(found.now.parameter("queue_directory"), generated, health);
  judge_quarantine(found.now.parameter("queue_directory"), generated, scope, health);
}

void ask_postfix(const std::filesystem::path& state,
                 const std::filesystem::path& postfix_config, Scope scope,
                 Health& health) {
  try {
    const PostfixNeeds needs = health.postfix
                                   ? read_needs(state / Generations::kCurrentPostfix)
                                   : PostfixNeeds();
    const Postfix postfix(postfix_config);
    Survey found = survey(postfix, needs.use, state);
    if (health.postfix && attach_state(found.files) == AttachState::accepting) {
      search_site(postfix, state, scope, found, health);
    }
    health.attachment = examine(found, needs);
    if (health.attachment->accepts_mail()) {
      for (const auto& socket : unusable_sockets(found.now, needs)) {
        health.alarms.push_back({ExitCode::not_running, socket.text});
      }
    }
  } catch (const Fault& fault) {
    health.not_asked = fault.what();
    return;
  }
  for (const auto& finding : health.attachment->findings) {
    if (health.attachment->accepts_mail() || is_always_dangerous(finding.danger)) {
      health.alarms.push_back({code_of(finding.danger), finding.text});
    } else {
      health.warnings.push_back(finding.text);
    }
  }
  const auto& differing = health.attachment->differing;
  if (health.attachment->accepts_mail() && !differing.empty()) {
    health.alarms.push_back(
        {ExitCode::differs,
         fmt::format("{}: {}", postfix_config.string(), fmt::join(differing, ", "))});
  }
}

std::optional<std::uint64_t> number_in_force(const Generations& generations,
                                             const char* link, Health& health) {
  try {
    return generations.number_of(link);
  } catch (const Fault& fault) {
    health.alarms.push_back(
        {ExitCode::wrong, fmt::format("{}: run mxfeed apply", fault.what())});
    return std::nullopt;
  }
}

// A daemon that has it open may not notice yet.
void judge_policy(const std::filesystem::path& state, Health& health) {
  try {
    open_policy(state);
  } catch (const Fault& fault) {
    health.alarms.push_back(
        {ExitCode::wrong, fmt::format("{}: run mxfeed apply", fault.what())});
  }
}

void judge_daemon(const DaemonStatus& daemon, Health& health) {
  if (auto alarm = why_not_serving(daemon)) {
    health.alarms.push_back(*std::move(alarm));
    return;
  }
  const auto generation = daemon.generation();
  // mxfeed-scan does not use the policy of domains, and reports a generation only when
  // its signatures are loaded.
  const bool has_policy = daemon.name != "scan";
  if (has_policy && health.milters && generation != health.milters) {
    health.alarms.push_back(
        {ExitCode::differs,
         fmt::format("{}: has generation {}, but {} is in force", name_of(daemon),
                     generation ? fmt::format("{}", *generation) : "none",
                     *health.milters)});
  }
  if (daemon.field("version") != MXFEED_VERSION) {
    health.warnings.push_back(fmt::format(
        "{}: version {} is running, but {} is installed: restart it", name_of(daemon),
        escape_line(daemon.field("version")), MXFEED_VERSION));
  }
}

}  // namespace

std::optional<Alarm> why_not_serving(const DaemonStatus& daemon) {
  if (daemon.field("state") == "no_policy") {
    return Alarm{ExitCode::differs,
                 fmt::format("{}: no policy: {}: run mxfeed apply", name_of(daemon),
                             escape_line(daemon.field("policy_fault")))};
  }
  if (daemon.serves()) return std::nullopt;
  const auto why = daemon.field("last_fault");
  return Alarm{
      ExitCode::not_running,
      fmt::format("{}: {}{}{}", name_of(daemon), escape_line(daemon.field("state")),
                  why.empty() ? "" : ": ", escape_line(why))};
}

Health look_at_health(const std::filesystem::path& state,
                      const std::optional<std::filesystem::path>& postfix_config,
                      Scope scope) {
  Health health;
  const Generations generations(state);
  health.milters = number_in_force(generations, Generations::kCurrent, health);
  health.postfix = number_in_force(generations, Generations::kCurrentPostfix, health);
  if (health.milters) judge_policy(state, health);
  if (auto trouble = source_trouble(state); !trouble.empty()) {
    health.warnings.push_back(fmt::format("[source]: {}", trouble));
  }
  if (postfix_config) ask_postfix(state, *postfix_config, scope, health);
  const bool accepts_mail = health.attachment && health.attachment->accepts_mail();
  if (scope == Scope::in_use && !accepts_mail) return health;
  for (const char* const name : kDaemons) {
    judge_daemon(health.daemons.emplace_back(ask_daemon(state, name)), health);
  }
  if (std::error_code error; std::filesystem::exists(state / kRecipients, error)) {
    judge_daemon(health.daemons.emplace_back(ask_daemon(state, kRecipients)), health);
  }
  if (health.milters != health.postfix) {
    health.alarms.push_back(
        {ExitCode::differs,
         fmt::format("the milters use generation {}, Postfix uses {}: run mxfeed apply",
                     health.milters ? fmt::format("{}", *health.milters) : "none",
                     health.postfix ? fmt::format("{}", *health.postfix) : "none")});
  }
  return health;
}

Json json_of(const std::vector<Alarm>& alarms) {
  Json all = Json::list();
  for (const auto& alarm : alarms) {
    all.add(Json::object()
                .set("code", static_cast<int>(alarm.code))
                .set("danger", describe(alarm.code))
                .set("text", alarm.text));
  }
  return all;
}

ExitCode print_alarms(const Health& health) {
  ExitCode code = ExitCode::fine;
  for (const auto& warning : health.warnings)
    fmt::print(stderr, "warning: {}\n", warning);
  for (const auto& alarm : health.alarms) {
    if (alarm.code == ExitCode::wrong) {
      fmt::print(stderr, "error: {}\n", alarm.text);
    } else {
      fmt::print(stderr, "danger: {}: {}\n", describe(alarm.code), alarm.text);
    }
    code = worse(code, alarm.code);
  }
  return code;
}

ExitCode report_health(const std::filesystem::path& state,
                       const std::filesystem::path& postfix_config, ApplyReport& report) {
  const Health health = look_at_health(state, postfix_config, Scope::in_use);
  report.set("alarms", json_of(health.alarms));
  if (!health.attachment) {
    fmt::print(stderr, "note: Postfix was not checked: {}\n", health.not_asked);
    return print_alarms(health);
  }
  const auto& differing = health.attachment->differing;
  report.set("attached", health.attachment->accepts_mail());
  report.set("postfix", to_string(*health.attachment));
  Json names = Json::list();
  for (const auto& name : differing) names.add(name);
  report.set("parameters_differ", std::move(names));
  if (!differing.empty()) {
    report.say(fmt::format("postfix: {}: {}; to attach: mxfeed postfix attach",
                           postfix_config.string(), to_string(*health.attachment)));
  }
  return print_alarms(health);
}

}  // namespace mxfeed
