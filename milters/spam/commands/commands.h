// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed spam ...`: commands that judge messages in files.

#pragma once

#include <vector>

#include "common/command/command.h"

namespace mxfeed::spam {

std::vector<Command> commands();

}  // namespace mxfeed::spam
