// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which mail is not greylisted at all, and which clients look suspicious.  Pure.

#pragma once

#include <optional>
#include <string_view>

#include "common/mail/envelope.h"
#include "common/policy/domain_policy.h"

namespace mxfeed::greylist {

// Why the recipient is not greylisted, a word of the table in mxfeed-greylist(8); empty:
// it is.  `domain` is nothing for a domain that is not ours.
std::string_view exemption(const Envelope& envelope, const Recipient& recipient,
                           const std::optional<DomainPolicy>& domain,
                           const GatewayPolicy& gateway);

// A client without a forward-confirmed name, or whose name was made from its address or
// says that it is a dial-up or dynamic one.
bool is_suspicious(const Client& client);

}  // namespace mxfeed::greylist
