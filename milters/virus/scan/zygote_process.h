// SPDX-License-Identifier: GPL-2.0-or-later
//
// A zygote as seen by its supervisor: a child process, the control socket, and what it
// has reported.

#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/file.h"
#include "milters/virus/scan/zygote_protocol.h"

namespace mxfeed::virus {

// The owner reaps the process.  When this object is destroyed, the zygote retires.
class ZygoteProcess {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  // Starts the program of this process again, with the listener and the board.  Throws
  // Fault.
  ZygoteProcess(const ZygoteTask& task, int listener, int board, Instant now);

  pid_t pid() const { return pid_; }
  int control() const { return control_.get(); }
  Instant started() const { return started_; }
  unsigned workers() const { return workers_; }
  // Set once the engine is ready.
  const std::optional<EngineReady>& engine() const { return engine_; }

  // The next report; nothing if there is none now.  A zygote that has closed its end is
  // killed, so that it can be reaped.
  std::optional<ZygoteReport> receive();
  // Why the zygote ended, after it was reaped: the failure that it reported last, if any.
  std::optional<std::string> cause_of_end();

  // Its resident memory in bytes, now and at most; 0 if that cannot be read.  Workers
  // share nearly all of it.
  std::uint64_t memory() const;
  std::uint64_t most_memory() const;

  void order(ZygoteOrder order) const;
  void pass_listener(int listener) const;
  void kill() const;

 private:
  Fd control_;
  pid_t pid_ = 0;
  Instant started_{};
  unsigned workers_ = 0;
  std::optional<EngineReady> engine_;
};

}  // namespace mxfeed::virus
