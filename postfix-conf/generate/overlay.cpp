// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/overlay.h"

#include <string>
#include <system_error>

#include "common/base/fault.h"
#include "common/policy/constdb.h"

namespace mxfeed {

namespace fs = std::filesystem;

fs::path overlay_path(const fs::path& state) {
  return state / "keeper" / "transport";
}

void ensure_overlay(const fs::path& state) {
  fs::path database = overlay_path(state);
  database += ".cdb";
  std::error_code error;
  if (fs::exists(database, error)) return;
  fs::create_directories(database.parent_path(), error);
  if (error) {
    throw Fault("make directory", database.parent_path().string(), error.message());
  }
  ConstDbWriter(database).commit();
}

}  // namespace mxfeed
