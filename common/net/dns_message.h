// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the replies of name servers (RFC 1035, 4).  A pure function of hostile octets.

#pragma once

#include <cstdint>
#include <span>

#include "common/net/dns.h"

namespace mxfeed::dns {

// What the reply says about the question.  Follows aliases within the reply; records of
// other names and types are ignored, as are those that cannot be written in our form of
// names.  Whatever is not a whole reply to this very question is temporary.
Answer parse_reply(const Question& question, std::span<const std::uint8_t> reply);

}  // namespace mxfeed::dns
