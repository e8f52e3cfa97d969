// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed spam explain`: shows why a message has its level.

#pragma once

#include "common/command/command.h"

namespace mxfeed::spam {

Command explain_command();

}  // namespace mxfeed::spam
