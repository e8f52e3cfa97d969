// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a daemon says of itself on its status socket.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/json.h"
#include "common/program/status_snapshot.h"

namespace mxfeed {

struct DaemonStatus {
  std::string name;  // "greylist"
  // Of a daemon that does not answer: program, state ("down"), last_fault.
  StatusSnapshot snapshot;

  // Empty if there is none.
  std::string_view field(std::string_view key) const;
  // Running, or about to run with other settings.
  bool serves() const;
  std::optional<std::uint64_t> generation() const;
  // Numbers are numbers, "yes" and "no" are flags.
  Json json() const;
  // Lines "key: value".
  std::string text() const;
};

DaemonStatus ask_daemon(const std::filesystem::path& state, std::string_view daemon);

}  // namespace mxfeed
