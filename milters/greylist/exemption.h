// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which mail is not greylisted at all.  Pure.

#pragma once

#include <optional>
#include <string_view>

#include "common/mail/envelope.h"
#include "common/policy/domain_policy.h"

namespace mxfeed::greylist {

// Why the recipient is not greylisted, whatever the lists and `when` say: a word; empty
// if it may be.  `domain` is nothing for a domain that is not ours.
std::string_view exemption(const Envelope& envelope, const Recipient& recipient,
                           const std::optional<DomainPolicy>& domain,
                           const GatewayPolicy& gateway);

// Why `when` spares the client, which is in no list; empty if it does not.
std::string_view exemption_by_when(const Envelope& envelope,
                                   const GreylistPolicy& greylist);

}  // namespace mxfeed::greylist
