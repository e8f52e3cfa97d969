// SPDX-License-Identifier: GPL-2.0-or-later
//
// The supervisor of mxfeed-scan: owns the listening socket, watches signatures and
// policy, and keeps one proved zygote in force.  It loads no signatures and parses no
// mail, so that it lives on whatever these do.
//
// One thread serves; another answers on the status socket.

#pragma once

#include <filesystem>

namespace mxfeed::virus {

struct SupervisorOptions {
  std::filesystem::path state = "/var/lib/mxfeed";
  std::filesystem::path socket;   // empty: <state>/scan/scan.sock
  std::filesystem::path scratch;  // empty: chosen (scratch.h)
};

// Serves until SIGTERM or SIGINT, then lets the scans end; returns the exit status.
// Throws Fault if it cannot start.
int supervise(const SupervisorOptions& options);

}  // namespace mxfeed::virus
