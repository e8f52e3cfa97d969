// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed spam evaluate`.

#pragma once

#include "common/command/command.h"

namespace mxfeed::spam {

Command evaluate_command();

}  // namespace mxfeed::spam
