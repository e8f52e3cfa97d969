// SPDX-License-Identifier: GPL-2.0-or-later
//
// mxfeed greylist why

#pragma once

#include "common/command/command.h"

namespace mxfeed::greylist {

ExitCode why(const Arguments& arguments);

}  // namespace mxfeed::greylist
