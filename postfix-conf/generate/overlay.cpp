// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/overlay.h"

#include <string>
#include <system_error>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/policy/constdb.h"
#include "postfix-conf/generate/maps.h"

namespace mxfeed {

namespace fs = std::filesystem;

fs::path overlay_path(const fs::path& state) {
  return state / "keeper" / "transport";
}

fs::path intake_overlay_path(const fs::path& state) {
  return state / "keeper" / "recipient_access";
}

void ensure_overlays(const fs::path& state) {
  for (const auto& path : {overlay_path(state), intake_overlay_path(state)}) {
    fs::path database = path;
    database += ".cdb";
    std::error_code error;
    if (fs::exists(database, error)) continue;
    fs::create_directories(database.parent_path(), error);
    if (error) {
      throw Fault("make directory", database.parent_path().string(), error.message());
    }
    fs::remove(path, error);  // a text without its table
    ConstDbWriter(database).commit();
  }
}

void add_overlay_lines(const Hosted& hosted, std::string_view value,
                       OverlayLines& lines) {
  for (const auto& key : key_forms(hosted.name)) {
    lines.emplace_back(key, value);
    if (is_relayed(hosted.below)) lines.emplace_back("." + key, value);
  }
}

bool write_overlay(const fs::path& path, const OverlayLines& lines) {
  std::string text;
  for (const auto& [key, value] : lines) text.append(key + " " + value + "\n");
  if (read_file(path) == text) return false;
  fs::path database = path;
  database += ".cdb";
  ConstDbWriter writer(database);
  for (const auto& [key, value] : lines) writer.add(key, value);
  // If a run is killed before the end, the next one finds no text and writes both.
  std::error_code ignored;
  fs::remove(path, ignored);
  writer.commit();
  write_file(path, text);
  return true;
}

}  // namespace mxfeed
