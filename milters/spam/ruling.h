// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a domain has said of a sender: [domain.senders] allow and block.  Pure.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/mail/envelope.h"
#include "common/policy/domain_policy.h"
#include "milters/spam/evidence/evidence.h"
#include "milters/spam/evidence/message.h"

namespace mxfeed::spam {

struct Ruling {
  enum class Kind : std::uint8_t {
    none,
    allowed,
    blocked,
    unproved,  // an entry of `allow` names the sender, but nothing proves it
  };
  Kind kind = Kind::none;
  std::optional<ListEntry> entry;  // that decides
};

std::string_view to_string(Ruling::Kind kind);  // "allow", "block", "allow-unproved"

// `is_confirmed` tells whether SPF confirms a domain: that of the envelope's sender
// itself, that of From if it is of the same organisation.  It is asked only if that
// decides.  A block needs no proof: who forges a blocked sender gains nothing.  `allow`
// comes before `block`, so that one sender of a blocked domain can be allowed.
Ruling rule(const SenderPolicy& senders, const Envelope& envelope, const Message& message,
            const std::function<bool(const std::string& domain)>& is_confirmed);

// The evidence that follows from it; nothing from none and unproved.
std::optional<Evidence> evidence_of(const Ruling& ruling);

}  // namespace mxfeed::spam
