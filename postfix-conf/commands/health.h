// SPDX-License-Identifier: GPL-2.0-or-later
//
// The state of all parts and its dangers: for `mxfeed status`, `mxfeed apply` and `mxfeed
// check`.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/command/daemon_status.h"
#include "common/command/exit_code.h"
#include "postfix-conf/commands/apply_report.h"
#include "postfix-conf/postfix/attach/attachment.h"

namespace mxfeed {

// A dangerous state.
struct Alarm {
  ExitCode code;
  std::string text;
};

struct Health {
  // The generations in force; nothing if there is none.
  std::optional<std::uint64_t> milters, postfix;
  std::vector<DaemonStatus> daemons;
  // Nothing if Postfix was not checked; then `not_asked` is the cause.
  std::optional<Attachment> attachment;
  std::string not_asked;
  std::vector<Alarm> alarms;
  // Not dangerous as long as Postfix takes no mail for our domains.
  std::vector<std::string> warnings;
};

enum class Scope {
  everything,
  in_use,  // daemons only if Postfix takes mail for our domains
};

// Asks the daemons below `state` and, if it is given, the Postfix whose main.cf is in
// that directory.
Health look_at_health(const std::filesystem::path& state,
                      const std::optional<std::filesystem::path>& postfix_config,
                      Scope scope);

// Why mail would not get the daemon's answers; nothing if it serves.
std::optional<Alarm> why_not_serving(const DaemonStatus& daemon);

Json json_of(const std::vector<Alarm>& alarms);

// Prints dangers as "danger: ...", other errors as "error: ..." and warnings as "warning:
// ..." on standard error; returns the exit code of the worst.
ExitCode print_alarms(const Health& health);

// The end of `mxfeed apply`: reports how Postfix differs from the generation in force,
// how to attach it, and the alarms.
ExitCode report_health(const std::filesystem::path& state,
                       const std::filesystem::path& postfix_config, ApplyReport& report);

}  // namespace mxfeed
