// SPDX-License-Identifier: GPL-2.0-or-later
//
// What an apply or a rollback did: lines as it goes, or with --json one object at its
// end.

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
  // How the daemons are, by name; in the place of what was set before.
  void set_daemons(Json daemons) { daemons_ = std::move(daemons); }

  // Prints the object, with the exit status.
  void finish(int status);

 private:
  const bool json_;
  Json object_ = Json::object();
  Json daemons_ = Json::object();
};

}  // namespace mxfeed
