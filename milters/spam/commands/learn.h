// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed spam learn` and `mxfeed spam forget`.

#pragma once

#include "common/command/command.h"
#include "milters/spam/commands/held_lessons.h"

namespace mxfeed::spam {

Command learn_command(OpenLessons open);
Command forget_command();

}  // namespace mxfeed::spam
