// SPDX-License-Identifier: GPL-2.0-or-later
//
// The supervisor of mxfeed-scan: owns the listening socket, watches signatures and
// policy, and keeps one proved zygote in force.  It loads no signatures and parses no
// messages, so that neither can crash it.  It has one thread.

#pragma once

namespace mxfeed::virus {

// main() of mxfeed-scan: serves until SIGTERM or SIGINT, then waits for scans in
// progress; returns the exit status.
int run_supervisor(int argc, char** argv);

}  // namespace mxfeed::virus
