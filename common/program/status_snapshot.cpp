// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/program/status_snapshot.h"

#include "common/base/text.h"

namespace mxfeed {

StatusSnapshot& StatusSnapshot::add(std::string_view key, std::string_view text) {
  entries_.emplace_back(key, escape_untrusted(text));
  return *this;
}

std::optional<std::string_view> StatusSnapshot::find(std::string_view key) const {
  for (const auto& [name, value] : entries_) {
    if (name == key) return value;
  }
  return std::nullopt;
}

std::string StatusSnapshot::to_string() const {
  std::string text;
  for (const auto& [key, value] : entries_) text += key + ": " + value + "\n";
  return text;
}

StatusSnapshot StatusSnapshot::parse(std::string_view text) {
  StatusSnapshot snapshot;
  for (const std::string_view line : split(text, '\n')) {
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos || colon == 0) continue;
    snapshot.entries_.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  return snapshot;
}

}  // namespace mxfeed
