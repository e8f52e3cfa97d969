// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reports what an apply or a rollback does: in lines as it goes, or with --json as one
// object at its end.

#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "common/base/json.h"

namespace mxfeed {

class ApplyReport {
 public:
  explicit ApplyReport(bool json) : json_(json) {}

  // For people only.
  void say(const std::string& line) const;
  // For programs only; each key once.
  void set(std::string_view key, Json value);
  // The states of the daemons by name; replaces what was set before.
  void set_daemons(Json daemons) { daemons_ = std::move(daemons); }

  // Prints the object, with the exit status.
  void finish(int status);

 private:
  const bool json_;
  Json object_ = Json::object();
  Json daemons_ = Json::object();
};

}  // namespace mxfeed
