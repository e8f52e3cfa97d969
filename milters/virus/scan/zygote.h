// SPDX-License-Identifier: GPL-2.0-or-later
//
// The zygote of mxfeed-scan: a single-threaded process that loads one set of signatures,
// proves it, and forks the workers from itself, so that they share its memory and a crash
// in one hurts no other.  A new set of signatures is a new zygote.
// (zygote_protocol.h tells how it talks with the supervisor.)

#pragma once

namespace mxfeed::virus {

// main() of the zygote, argv[1] being "--zygote"; returns the exit status.
int run_zygote_command(int argc, char** argv);

}  // namespace mxfeed::virus
