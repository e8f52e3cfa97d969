// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the operator has said of a sender: the lists of the domain and of the gateway.
// Pure.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "common/policy/domain_policy.h"

namespace mxfeed::greylist {

enum class Ruling : std::uint8_t {
  none,
  allowed,  // not greylisted at all
  denied,   // greylisted whatever `when` says, and whatever is known of its identity
};
std::string_view to_string(Ruling ruling);  // "none", "allow" or "deny"

struct Listed {
  Ruling ruling = Ruling::none;
  std::optional<ListEntry> entry;  // that decides
  bool by_domain = false;          // it is in the domain's list, not in the gateway's
};

// Whether a list has any entry.
bool have_lists(const GreylistPolicy& domain, const GatewayPolicy::Greylist& gateway);

// The lists of the domain come before those of the gateway, of each `allow` before
// `deny`.  `is_confirmed` tells whether SPF confirms the sender's domain; it is asked
// only if that decides.
Listed look_up(const GreylistPolicy& domain, const GatewayPolicy::Greylist& gateway,
               const SenderFacts& facts, const std::function<bool()>& is_confirmed);

}  // namespace mxfeed::greylist
