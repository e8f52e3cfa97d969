// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/plan_report.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "common/base/text.h"
#include "postfix-conf/commands/problems.h"

namespace mxfeed {
namespace {

std::string shown(const std::optional<std::string>& value) {
  if (!value) return "(not set)";
  return value->empty() ? "(empty)" : escape_line(*value);
}

Json json_of(const std::optional<std::string>& value) {
  return value ? Json(*value) : Json();
}

}  // namespace

Json print_conflicts(const std::vector<Conflict>& conflicts) {
  Json list = Json::list();
  for (const auto& one : conflicts) {
    complain("conflict: " + one.str());
    list.add(Json::object()
                 .set("place", one.place)
                 .set("cause", one.cause)
                 .set("advice", one.advice));
  }
  return list;
}

void PlanReport::say(const std::string& line) const {
  if (!json_) fmt::print("{}\n", line);
}

void PlanReport::changes(const std::vector<Change>& changes) {
  Json list = Json::list();
  for (const auto& one : changes) {
    say(fmt::format("{}: {} -> {}{}", escape_line(one.subject()), shown(one.before),
                    shown(one.after),
                    one.reason.empty() ? "" : fmt::format(" ({})", one.reason)));
    list.add(Json::object()
                 .set("place", one.place)
                 .set("name", one.name)
                 .set("before", json_of(one.before))
                 .set("after", json_of(one.after))
                 .set("reason", one.reason));
  }
  set("changes", std::move(list));
}

void PlanReport::conflicts(const std::vector<Conflict>& conflicts) {
  set("conflicts", print_conflicts(conflicts));
}

void PlanReport::lines(std::string_view key, std::string_view title,
                       const std::vector<std::string>& lines) {
  if (!lines.empty()) say(fmt::format("\n{}:", title));
  Json list = Json::list();
  for (const auto& line : lines) {
    say("  " + line);
    list.add(line);
  }
  set(key, std::move(list));
}

ExitCode PlanReport::finish(ExitCode code) {
  set("exit_status", static_cast<int>(code));
  if (json_) fmt::print("{}\n", object_.str());
  return code;
}

}  // namespace mxfeed
