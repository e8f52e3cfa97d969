// SPDX-License-Identifier: GPL-2.0-or-later
//
// mxfeed greylist simulate

#pragma once

#include "common/command/command.h"

namespace mxfeed::greylist {

Command simulate_command();

}  // namespace mxfeed::greylist
