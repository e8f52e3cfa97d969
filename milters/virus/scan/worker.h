// SPDX-License-Identifier: GPL-2.0-or-later
//
// A worker of mxfeed-scan: a forked child of the zygote that takes one connection after
// another from the shared listening socket, scans the message and answers.  A client that
// connects and sends nothing does not hold up the others, and is closed after two
// seconds.

#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>

#include "milters/virus/scan/board.h"
#include "milters/virus/scan/engine_clamav.h"

namespace mxfeed::virus {

struct WorkerTask {
  int listener;  // non-blocking
  // Never has data; when it is closed, the worker stops after the current scan.
  int lifeline;
  // If true at that time, waiting connections are still served.
  const std::atomic<bool>& drains;
  std::atomic<unsigned>& proofs;  // counted up with each that did not fail
  Board& board;
  std::filesystem::path scratch;  // created by the worker
  // A scan that takes longer is killed together with the worker (SIGALRM): libclamav
  // checks its own limit only from time to time.
  std::chrono::seconds hard_limit;
  // After this number of scans the worker ends, to be replaced by a fresh one; also when
  // it has grown and cannot return the memory.
  unsigned scans;
};

// The exit status of a worker whose engine must not be used any more.
constexpr int kEngineLost = 3;
// How long a proof of the engine holds.
constexpr std::chrono::seconds kProofHolds{30};

// Proves the engine first, and again whenever the last proof is too old.  Returns the
// exit status: 0 after `scans` scans, memory growth or the end of the lifeline; 1 when
// the listening socket fails; kEngineLost, before the next request is taken.  A request
// is answered; any other connection is closed.
int run_worker(Engine& engine, const WorkerTask& task);

}  // namespace mxfeed::virus
