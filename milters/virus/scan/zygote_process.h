// SPDX-License-Identifier: GPL-2.0-or-later
//
// A zygote as its supervisor has it: a child process, the socket to talk with it, and
// what it has told.

#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "common/base/file.h"
#include "milters/virus/scan/zygote_protocol.h"

namespace mxfeed::virus {

// Reaping is the owner's.  When this object goes, the zygote retires.
class ZygoteProcess {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  // Starts the program of this process once more, with the listener and the board.
  // Throws Fault.
  ZygoteProcess(const ZygoteTask& task, int listener, int board, Instant now);

  pid_t pid() const { return pid_; }
  int control() const { return control_.get(); }
  Instant started() const { return started_; }
  unsigned workers() const { return workers_; }
  // Once it is ready.
  const std::optional<EngineReady>& engine() const { return engine_; }

  // The next report; nothing if there is none now.  A zygote that has closed its end is
  // killed, so that it is reaped.
  std::optional<ZygoteReport> receive();
  // Why it ended, after it was reaped: what it reported last, if that is a failure.
  std::optional<std::string> cause_of_end();

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
