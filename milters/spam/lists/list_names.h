// SPDX-License-Identifier: GPL-2.0-or-later
//
// What DNS lists are asked about a message.  Pure.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/address.h"
#include "milters/spam/evidence/message.h"

namespace mxfeed::spam {

// The most domains of links that are asked for: spam with more has repeats or bait.
inline constexpr std::size_t kMostLinkDomains = 20;

// What a list of clients is asked for (RFC 5782, 2.1 and 2.4); empty for an address that
// no public list has: private, loopback, link-local.
std::string client_key(const IpAddress& client);

// The registered domains of the links, each once, those of visible links first; an IPv4
// address in a link is asked for with its octets reversed.
std::vector<std::string> link_keys(const Message& message);

// The registered domains of the sender of the envelope, of From and of Reply-To, each
// once.
std::vector<std::string> sender_keys(std::string_view envelope_sender,
                                     const Message& message);

}  // namespace mxfeed::spam
