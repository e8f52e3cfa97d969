// SPDX-License-Identifier: GPL-2.0-or-later
//
// The zygote of mxfeed-scan: a single-threaded process that loads one set of signatures,
// proves it, and forks the workers from itself, so that they share its memory and a crash
// in one hurts no other.  A new set of signatures is a new zygote.
//
// It talks with its supervisor by datagrams on a socket pair:
//   to the supervisor    "loading"               it lives
//                        "ready SIGNATURES RAR"  proved, workers are forked; RAR is 0 or
//                        1 "failed CAUSE"          and it ends "died SIGNAL"           a
//                        worker was killed by that signal, or 0
//   to the zygote        "retire"                workers stop after the scan at hand
//                        "drain"                 and after those that wait for one
// The end of the socket retires it too.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/policy/domain_policy.h"

namespace mxfeed::virus {

// Descriptors that the supervisor leaves open at exec.
constexpr int kZygoteListener = 3;
constexpr int kZygoteControl = 4;
constexpr int kZygoteBoard = 5;

struct ZygoteTask {
  GatewayPolicy::Virus settings;
  std::filesystem::path scratch;  // of all processes
  // How many signatures the engine in force has, if it was loaded from the same place:
  // less than half of that is taken for damage.  0: no matter.
  unsigned former_signatures = 0;
};

// The command line that run_zygote_command() understands.
std::vector<std::string> zygote_arguments(const ZygoteTask& task);

// main() of the zygote, argv[1] being "--zygote"; returns the exit status.
int run_zygote_command(int argc, char** argv);

}  // namespace mxfeed::virus
