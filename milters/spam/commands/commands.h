// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed spam ...`: commands that judge messages in files.

#pragma once

#include <vector>

#include "common/command/command.h"
#include "milters/spam/commands/held_lessons.h"

namespace mxfeed::spam {

// `open` gives what `mxfeed spam learn --held` learns from.
std::vector<Command> commands(OpenLessons open);

}  // namespace mxfeed::spam
