// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the client tells of itself: its name and HELO.  Pure.

#pragma once

#include <vector>

#include "common/mail/envelope.h"
#include "common/policy/domain_policy.h"
#include "milters/spam/evidence/evidence.h"

namespace mxfeed::spam {

// Of a client that is not one of our own.
std::vector<Evidence> client_evidence(const Envelope& envelope,
                                      const GatewayPolicy& gateway);

}  // namespace mxfeed::spam
