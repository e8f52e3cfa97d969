// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the header of a message tells that was received here: found out then, and not to
// be found out again.  Whoever has the file is believed that it is as it was received.
// Pure.

#pragma once

#include <optional>
#include <vector>

#include "common/mail/address.h"
#include "common/net/sender_field.h"
#include "common/policy/domain_policy.h"
#include "milters/spam/authentication.h"
#include "milters/spam/evidence/message.h"

namespace mxfeed::spam {

// Nothing in a message that was not received here.
std::optional<SenderCheck> recorded_sender(const Message& message);

// The client that sent the message to this host: that of the topmost Received field, or,
// if the file comes from a server behind this host, of the first one whose client is
// another host.
std::optional<IpAddress> recorded_client(const Message& message,
                                         const GatewayPolicy& gateway);

// By the verifiers that the policy names.
Authentication recorded_authentication(const Message& message,
                                       const GatewayPolicy::Spam& spam);

}  // namespace mxfeed::spam
