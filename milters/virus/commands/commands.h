// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed virus ...`: commands that ask the scan service.

#pragma once

#include <vector>

#include "common/command/command.h"

namespace mxfeed::virus {

std::vector<Command> commands();

}  // namespace mxfeed::virus
