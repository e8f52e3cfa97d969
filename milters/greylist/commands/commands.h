// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed greylist ...`: commands that read the store of the running daemon, and change
// what it has of a sender.

#pragma once

#include <vector>

#include "common/command/command.h"

namespace mxfeed::greylist {

std::vector<Command> commands();

}  // namespace mxfeed::greylist
