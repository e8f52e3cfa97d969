// SPDX-License-Identifier: GPL-2.0-or-later
//
// The zygote of mxfeed-scan: a single-threaded process that loads one set of signatures,
// tests it, and forks the workers from itself: they share its memory, and a crash of one
// does not affect the others.  A new set of signatures gets a new zygote.  See
// zygote_protocol.h for the protocol between zygote and supervisor.

#pragma once

namespace mxfeed::virus {

// main() of the zygote, argv[1] being "--zygote"; returns the exit status.
int run_zygote_command(int argc, char** argv);

}  // namespace mxfeed::virus
