// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether a message was sent to many who subscribed: newsletters and campaigns.  Pure.

#pragma once

#include "milters/spam/authentication.h"
#include "milters/spam/evidence/message.h"

namespace mxfeed::spam {

// A way to unsubscribe counts only if a good signature covers it: else whoever passes a
// message on could add one.  Without it two other signs are needed.  Discussions of a
// list, which a reader may answer, are none.
bool is_bulk(const Message& message, const Authentication& authentication);

}  // namespace mxfeed::spam
