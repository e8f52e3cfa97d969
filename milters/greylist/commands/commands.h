// SPDX-License-Identifier: GPL-2.0-or-later
//
// The sub-commands of mxfeed-greylist: look into the store beside the running daemon.
// They change nothing, and run by root they become the owner of the data first.

#pragma once

#include <string_view>

namespace mxfeed::greylist {

bool is_command(std::string_view word);

// argv[0] is the command.  Returns the exit status: 0, 2 (usage), 75 (store or policy
// cannot be read).
int run_command(int argc, char** argv);

}  // namespace mxfeed::greylist
