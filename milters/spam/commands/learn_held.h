// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed spam learn --held`: learns from traps and from reports of users.

#pragma once

#include "common/command/command.h"
#include "milters/spam/commands/held_lessons.h"
#include "milters/spam/evidence/evidence.h"

namespace mxfeed::spam {

// What was learned is stored and published before it is removed from where it was held:
// if the program ends between, it is learned again, which changes nothing.
//
// A message that cannot be read or judged stays where it is held, is logged and makes the
// status ExitCode::wrong; the others are learned.
ExitCode learn_held(const Arguments& arguments, const OpenLessons& open,
                    const Sources& sources);

}  // namespace mxfeed::spam
