// SPDX-License-Identifier: GPL-2.0-or-later
//
// mxfeed greylist import

#pragma once

#include "common/command/command.h"

namespace mxfeed::greylist {

Command import_command();

}  // namespace mxfeed::greylist
