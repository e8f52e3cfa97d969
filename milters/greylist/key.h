// SPDX-License-Identifier: GPL-2.0-or-later
//
// The key of a greylist record, equal for all attempts to deliver a message: the client's
// network, the sender without the parts that change from message to message, the
// recipient.  Pure.

#pragma once

#include <string>
#include <string_view>

#include "common/mail/address.h"
#include "common/mail/envelope.h"
#include "common/policy/domain_policy.h"

namespace mxfeed::greylist {

// "198.51.100.0/24 acme.example 1f0c...": the network and the domain are readable; the
// addresses are in a digest of length-prefixed parts, so that no address can imitate
// another one's key.  `domain` is the hosted domain whose policy applies.
std::string key_of(const IpAddress& client, std::string_view sender,
                   const Recipient& recipient, std::string_view domain,
                   const GatewayPolicy::Greylist& settings);

// The sender as it is used in the key: in lower case and without
//   BATV tags              prvs=0123456789=user       -> user
//   SRS hash and day       SRS0=AAAA=BB=org=user      -> srs#=org=user
//   extensions             user+anything              -> user
//   the recipient (VERP)   bounces-r=acme.example     -> bounces-#
//   identifiers            bounce-4f6ab31c-0012       -> bounce-#-#
// The null sender stays empty.
std::string normalised_sender(std::string_view sender, const Recipient& recipient);

}  // namespace mxfeed::greylist
