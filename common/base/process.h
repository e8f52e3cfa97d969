// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs a program and reads its output.

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mxfeed {

struct CommandResult {
  // The exit status; 128 + N if signal N ended it, 127 if it could not be started.
  int status = 0;
  std::string errors;  // the first 4 KiB of its standard error, or why it did not run
};

// Looks for argv[0] in PATH and in /usr/sbin; gives it `input` on standard input and
// hands over each line of its output as it comes, without the line end.  A program that
// is silent for a minute is ended.  Throws Fault if no process or pipe can be had.
CommandResult run_command(const std::vector<std::string>& argv, std::string_view input,
                          const std::function<void(std::string_view)>& line);

}  // namespace mxfeed
