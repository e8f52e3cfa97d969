// SPDX-License-Identifier: GPL-2.0-or-later
//
// A worker of mxfeed-scan: a forked child of the zygote that takes one connection after
// another from the shared listening socket, scans the message and answers.  A client that
// connects and sends nothing is waited for beside the others, and for two seconds only.

#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>

#include "milters/virus/scan/board.h"
#include "milters/virus/scan/engine_clamav.h"

namespace mxfeed::virus {

struct WorkerTask {
  int listener;  // non-blocking
  // Never has data; its end means to stop after the scan at hand.
  int lifeline;
  // If set then, connections that wait are still served.
  const std::atomic<bool>& drains;
  Board& board;
  std::filesystem::path scratch;  // made by the worker
  // A scan that takes longer is ended together with the worker (SIGALRM): libclamav looks
  // at its own limit only now and then.
  std::chrono::seconds hard_limit;
  unsigned scans;  // after so many it ends, to be replaced by a fresh one; also when it
                   // has grown and cannot give the memory back
};

// Returns the exit status: 0 after so many scans or the end of the lifeline, 1 when the
// listening socket is broken.  A request is answered; any other connection is closed.
int run_worker(Engine& engine, const WorkerTask& task);

}  // namespace mxfeed::virus
