// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed spam learn` and `mxfeed spam forget`.

#pragma once

#include "common/command/command.h"

namespace mxfeed::spam {

Command learn_command();
Command forget_command();

}  // namespace mxfeed::spam
