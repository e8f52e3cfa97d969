// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/status.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/command/listing.h"
#include "postfix-conf/commands/health.h"
#include "postfix-conf/commands/keeper_state.h"
#include "postfix-conf/generate/generations.h"

namespace mxfeed {
namespace {

// The timer runs it each minute.
constexpr std::chrono::minutes kKeeperSilence{5};

// What is wrong with the keeper's last run; empty if nothing is.  After an apply, the
// first one may still be to come.
std::string keeper_problem(const std::optional<Time>& last,
                           const std::optional<Time>& applied, Time now) {
  constexpr std::string_view kHelp =
      "mail does not expire and nobody is warned; see mxfeed-keeper.timer";
  for (const auto& one : {last, applied}) {
    if (one && now - *one <= kKeeperSilence) return {};
  }
  if (!last) return fmt::format("the keeper has never run: {}", kHelp);
  return fmt::format("the keeper has not run since {}: {}", utc(*last), kHelp);
}

// The digest of the configuration that the milters' generation was made from: the same on
// all hosts that have the same.  Empty if it cannot be told.
std::string configuration_of(const Health& health, const StatusOptions& options) {
  if (!health.milters) return {};
  try {
    return Generations(options.state).meta(*health.milters).config;
  } catch (const Fault&) {
    return {};  // told as an alarm
  }
}

Json json_of(const Health& health, const StatusOptions& options,
             const std::optional<Time>& keeper) {
  Json daemons = Json::list();
  for (const auto& daemon : health.daemons) daemons.add(daemon.json());
  Json postfix = Json::object();
  postfix.set("config",
              options.postfix_config ? Json(options.postfix_config->string()) : Json());
  if (health.attachment) {
    Json differing = Json::list();
    for (const auto& name : health.attachment->differing) differing.add(name);
    postfix.set("attached", health.attachment->accepts_mail())
        .set("state", to_string(*health.attachment))
        .set("differing", std::move(differing));
  } else {
    postfix.set("attached", nullptr).set("cause", health.not_asked);
  }
  return Json::object()
      .set("version", MXFEED_VERSION)
      .set("generation", health.milters)
      .set("postfix_generation", health.postfix)
      .set("configuration", configuration_of(health, options))
      .set("daemons", std::move(daemons))
      .set("postfix", std::move(postfix))
      .set("keeper_run", keeper ? Json(utc(*keeper)) : Json())
      .set("dangers", json_of(health.alarms));
}

std::string attachment_of(const Health& health, const StatusOptions& options) {
  if (!options.postfix_config) return "not checked (--no-postfix)";
  const std::string directory = options.postfix_config->string();
  if (!health.attachment) return fmt::format("not checked: {}", health.not_asked);
  const auto& differing = health.attachment->differing;
  const auto word = to_string(*health.attachment);
  if (!health.attachment->accepts_mail()) {
    return fmt::format("{}: {}; to attach: mxfeed postfix attach", directory, word);
  }
  if (differing.empty()) return fmt::format("{}: {}", directory, word);
  return fmt::format("{}: {}, {} differ", directory, word,
                     count_of(differing.size(), "setting"));
}

void print_text(const Health& health, const StatusOptions& options) {
  {
    Listing listing({{"program", 15},
                     {"state", 9},
                     {"version", 8},
                     {"pid", 8, true},
                     {"generation", 10, true}},
                    false);
    for (const auto& daemon : health.daemons) {
      const auto pid = parse_unsigned(daemon.field("pid"));
      const auto version = daemon.field("version");
      listing.row({"mxfeed-" + daemon.name, daemon.field("state"),
                   version.empty() ? Json() : Json(version), pid, daemon.generation()});
    }
  }
  const auto number = [](const std::optional<std::uint64_t>& generation) {
    return generation ? fmt::format("{}", *generation) : std::string("none");
  };
  const std::string configuration = configuration_of(health, options);
  fmt::print("\ngeneration in force: {} (Postfix: {})\nconfiguration: {}\npostfix: {}\n",
             number(health.milters), number(health.postfix),
             configuration.empty() ? "none" : configuration,
             attachment_of(health, options));
}

}  // namespace

ExitCode show_status(const StatusOptions& options) {
  Health health =
      look_at_health(options.state, options.postfix_config, Scope::everything);
  std::error_code error;
  if (!std::filesystem::is_directory(options.config, error)) {
    health.alarms.push_back(
        {ExitCode::no_configuration, escape_untrusted(options.config.string())});
  }
  if (!health.milters) {
    health.alarms.push_back(
        {ExitCode::wrong, "no generation is in force: run mxfeed apply"});
  } else if (health.attachment && !health.attachment->accepts_mail()) {
    health.alarms.push_back(
        {ExitCode::differs,
         fmt::format("{}: Postfix is {}", options.postfix_config->string(),
                     health.attachment->state == AttachState::detached
                         ? "not attached"
                         : to_string(*health.attachment))});
  }
  if (options.postfix_config && !health.attachment) {
    health.alarms.push_back(
        {ExitCode::wrong, "Postfix could not be checked: " + health.not_asked});
  }
  const auto keeper = last_keeper_run(options.state);
  if (health.attachment && health.attachment->accepts_mail()) {
    const auto problem = keeper_problem(keeper, last_apply(options.state), system_time());
    if (!problem.empty()) health.alarms.push_back({ExitCode::not_running, problem});
  }
  if (options.json) {
    fmt::print("{}\n", json_of(health, options, keeper).str());
  } else {
    print_text(health, options);
  }
  return print_alarms(health);
}

}  // namespace mxfeed
