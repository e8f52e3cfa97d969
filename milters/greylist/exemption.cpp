// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/exemption.h"

#include "common/base/text.h"
#include "milters/greylist/client_name.h"

namespace mxfeed::greylist {

std::string_view exemption(const Envelope& envelope, const Recipient& recipient,
                           const std::optional<DomainPolicy>& domain,
                           const GatewayPolicy& gateway) {
  if (!domain) return "foreign-domain";
  if (const auto trust = gateway.trust(envelope); !trust.empty()) return trust;
  if (const auto role = recipient.role(); !role.empty()) return role;
  // Postfix's address_verify_sender, which may be followed by a time-dependent string:
  // another server asks whether the sender of our mail exists.
  if (istarts_with(recipient.local_part, "double-bounce")) return "address-verification";
  return {};
}

std::string_view exemption_by_when(const Envelope& envelope,
                                   const GreylistPolicy& greylist) {
  if (greylist.when == GreylistWhen::never) return "off";
  const bool is_spared =
      greylist.when == GreylistWhen::suspicious && !is_suspicious(envelope.client);
  return is_spared ? "not-suspicious" : "";
}

}  // namespace mxfeed::greylist
