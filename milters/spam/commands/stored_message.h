// SPDX-License-Identifier: GPL-2.0-or-later
//
// Mails that were received at some time and are examined now.

#pragma once

#include <string_view>

#include "milters/spam/evidence/message.h"

namespace mxfeed::spam {

// The message as the milter would have read it.  The time of receipt is that of the
// topmost Received field, or now.
Message stored_message(std::string_view mail);

}  // namespace mxfeed::spam
