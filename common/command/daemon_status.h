// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a daemon reports on its status socket.

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
  // If the daemon does not answer: program, state ("down") and last_fault.
  StatusSnapshot snapshot;

  // The value of the key; empty if there is none.
  std::string_view field(std::string_view key) const;
  // Whether the daemon is running or reloading.
  bool serves() const;
  std::optional<std::uint64_t> generation() const;
  // Typed: numbers are numbers, "yes" and "no" are booleans.
  Json json() const;
  // Lines "key: value".
  std::string text() const;
};

DaemonStatus ask_daemon(const std::filesystem::path& state, std::string_view daemon);

}  // namespace mxfeed
