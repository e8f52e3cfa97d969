// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/apply_report.h"

#include <fmt/format.h>

#include <utility>

namespace mxfeed {

void ApplyReport::say(const std::string& line) const {
  if (!json_) fmt::print("{}\n", line);
}

void ApplyReport::set(std::string_view key, Json value) {
  object_.set(key, std::move(value));
}

void ApplyReport::finish(int status) {
  object_.set("daemons", std::move(daemons_)).set("exit_status", status);
  if (json_) fmt::print("{}\n", object_.str());
}

}  // namespace mxfeed
