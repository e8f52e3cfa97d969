// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a record of another greylister is here.  Pure.
//
//   passed    the sender from that network to that recipient is known; and a pass of the
//             network in the name of the sender's domain, as a pass here would be
//   waiting   it waits since then
//   host      as many passes of the host; two make it known
//   domain    as many passes of the network in the name of the domain; and the domain is
//             known where a client is verified for it
//
// The other one has verified no client, so nothing is known of the best identity; a pair
// is found by its network in spite of that.

#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "common/policy/domain_policy.h"
#include "milters/greylist/decision.h"
#include "milters/greylist/import/foreign_record.h"
#include "milters/greylist/key.h"

namespace mxfeed::greylist {

struct Adoption {
  Keys keys;
  std::vector<Change> records;  // the first one is the record itself
};

// Or why not.  `domain` is that of the recipient, if it is ours.
std::variant<Adoption, Fate> adopt(const ForeignRecord& record,
                                   const std::optional<DomainPolicy>& domain,
                                   const GatewayPolicy::Greylist& gateway, Time now);

// For Store::update(): the records, as far as the store does not know as much or more.
// To do it again changes nothing.
Decision merge(const Adoption& adoption, const Look& look, Time now);

}  // namespace mxfeed::greylist
