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

// An address of a sender in `allow` counts, whether the envelope or From has it, only if
// the sole author in From is confirmed: else who may send for an allowed domain could
// show any other.  `is_confirmed` tells whether SPF confirms the envelope's sender and
// the domain is of the same organisation, or a verifier found so by DKIM, DMARC or ARC;
// it is asked only if that decides.  A block needs no proof: who forges a blocked sender
// gains nothing.  `allow` comes before `block`, so that one sender of a blocked domain
// can be allowed.
Ruling rule(const SenderPolicy& senders, const Envelope& envelope, const Message& message,
            const std::function<bool(const std::string& domain)>& is_confirmed);

// The evidence that follows from it; nothing from none and unproved.
std::optional<Evidence> evidence_of(const Ruling& ruling);

}  // namespace mxfeed::spam
