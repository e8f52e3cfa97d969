// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs a program of the operator's that prints what the configuration asks for.

#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace mxfeed {

struct ProgramOutput {
  std::string text;     // whole lines
  std::string problem;  // why there is no output; empty if there is
  bool is_slow = false;
};

// Without a shell.  `environment` are more variables, NAME=VALUE.  The program and what
// it started are killed after `time`, and when it has printed nothing for a minute.
ProgramOutput run_program(const std::vector<std::string>& command,
                          const std::vector<std::string>& environment,
                          std::chrono::seconds time, std::size_t most_bytes);

}  // namespace mxfeed
