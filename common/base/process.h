// SPDX-License-Identifier: GPL-2.0-or-later
//
// Starts programs, and runs them to read their output.

#pragma once

#include <sys/types.h>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mxfeed {

// A descriptor of ours and the number at which the program finds it.
struct PassedFd {
  int ours;
  int theirs;
};

// Starts `program`, a path, as a child that has our environment and working directory,
// every signal at its default and unblocked.  Of our close-on-exec descriptors it gets
// only those that are passed.  Throws Fault.
pid_t spawn(const std::string& program, const std::vector<std::string>& argv,
            std::span<const PassedFd> passed);

struct CommandResult {
  // The exit status; 128 + N if signal N ended it, 127 if it could not be started, 124 if
  // it wrote nothing for a minute and was killed.
  int status = 0;
  std::string errors;  // the first 4 KiB of its standard error, or why it did not run
};

// Looks for argv[0] in PATH and in /usr/sbin; gives it `input` on standard input and
// hands over each line of its output as it comes, without the line end.  Throws Fault if
// no pipe can be made, and for a line of more than 64 MiB.
// The program also gets `more`, from number 3 on.
CommandResult run_command(const std::vector<std::string>& argv, std::string_view input,
                          const std::function<void(std::string_view)>& line,
                          std::span<const PassedFd> more = {});

}  // namespace mxfeed
