// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the name of a client tells.  Pure.

#pragma once

#include "common/mail/envelope.h"

namespace mxfeed::greylist {

// Whether the client has no forward-confirmed name, or a name that is generated from its
// address or is typical of dial-up and dynamic clients.
bool is_suspicious(const Client& client);

}  // namespace mxfeed::greylist
