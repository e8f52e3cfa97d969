// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which mail is not greylisted at all.  Pure.

#pragma once

#include <optional>
#include <string_view>

#include "common/mail/envelope.h"
#include "common/policy/domain_policy.h"

namespace mxfeed::greylist {

// Why the recipient is not greylisted: a word of the table in mxfeed-greylist(8), empty
// if it is greylisted.  `domain` is nothing for a domain that is not ours.
std::string_view exemption(const Envelope& envelope, const Recipient& recipient,
                           const std::optional<DomainPolicy>& domain,
                           const GatewayPolicy& gateway);

}  // namespace mxfeed::greylist
