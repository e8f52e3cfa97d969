// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "common/command/command.h"

namespace mxfeed::spam {

// Several gateways learn as one.
Command exchange_command();  // through Redis
Command merge_command();     // from journals of others

}  // namespace mxfeed::spam
