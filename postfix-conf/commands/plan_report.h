// SPDX-License-Identifier: GPL-2.0-or-later
//
// Prints the changes of attaching or detaching a Postfix: line by line, or with --json as
// one object at the end.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/json.h"
#include "common/command/exit_code.h"
#include "postfix-conf/postfix/attach/conflicts.h"
#include "postfix-conf/postfix/attach/plan.h"

namespace mxfeed {

// Prints them on standard error; returns them for --json.
Json print_conflicts(const std::vector<Conflict>& conflicts);

class PlanReport {
 public:
  explicit PlanReport(bool json) : json_(json) {}

  // For people only.
  void say(const std::string& line) const;
  void set(std::string_view key, Json value) { object_.set(key, std::move(value)); }

  void changes(const std::vector<Change>& changes);
  // On standard error.
  void conflicts(const std::vector<Conflict>& conflicts);
  // Without lines the title is not printed.
  void lines(std::string_view key, std::string_view title,
             const std::vector<std::string>& lines);

  // Prints the object.
  ExitCode finish(ExitCode code);

 private:
  const bool json_;
  Json object_ = Json::object();
};

}  // namespace mxfeed
