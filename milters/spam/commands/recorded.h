// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the header of a message tells that was received here: found out then, and not to
// be found out again.

#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "common/net/sender_field.h"
#include "milters/spam/authentication.h"
#include "milters/spam/evidence/message.h"

namespace mxfeed::spam {

// Nothing in a message that was not received here.
std::optional<SenderCheck> recorded_sender(const Message& message);

// By the verifiers that the policy in force names.  Whoever has the file is believed that
// it is as it was received.
Authentication recorded_authentication(const Message& message,
                                       const std::filesystem::path& state);

}  // namespace mxfeed::spam
