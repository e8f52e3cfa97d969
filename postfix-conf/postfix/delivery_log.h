// SPDX-License-Identifier: GPL-2.0-or-later
//
// Deliveries of our transports in Postfix's log.  Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/mail/delivery_line.h"

namespace mxfeed {

// The recipient of a line that says that a customer's server has taken a message from one
// of our transports; nothing if it is another line, could be read in two ways, or the
// address is quoted, has more than 512 octets, blanks or control characters.
std::optional<std::string> parse_sent(std::string_view line);

}  // namespace mxfeed
