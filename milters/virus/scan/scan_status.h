// SPDX-License-Identifier: GPL-2.0-or-later
//
// The status and metrics of mxfeed-scan.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/program/status_snapshot.h"
#include "milters/virus/scan/board.h"

namespace mxfeed::virus {

enum class ScanState {
  loading,    // no engine yet
  running,    // an engine is in force
  reloading,  // an engine is in force and another one is being loaded
  no_engine,  // no engine is in force or being loaded: requests wait
};

std::string_view to_string(ScanState state);

struct ScanStatus {
  ScanState state = ScanState::loading;
  std::string database;
  // Of the engine in force; 0 and Time{} without one.
  unsigned signatures = 0;
  unsigned workers = 0;
  bool reads_rar = false;
  Time newest{};
  Time last_proof{};  // by a worker
  std::filesystem::path scratch;
  bool is_reachable = true;  // its socket is at its path
  std::string load_fault;    // of the last attempt
  std::uint64_t load_memory =
      0;  // what all engines had when the last load ended, in bytes
};

ScanState state_of(bool has_engine, bool is_loading);

// Adds the status and the counters of this process.
void describe(const ScanStatus& status, Time now, StatusSnapshot& snapshot);

// Updates the metrics that are counted elsewhere.
void update_metrics(const ScanStatus& status, const Board& board);

}  // namespace mxfeed::virus
