// SPDX-License-Identifier: GPL-2.0-or-later
//
// The keys of the records that decide on one recipient.  Pure.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/mail/envelope.h"
#include "milters/greylist/decision.h"
#include "milters/greylist/identity.h"

namespace mxfeed::greylist {

// What a record is about.
enum class About : std::uint8_t {
  identity = 1,
  passed = 2,
  waiting = 3,
  host = 4,
  provider = 5
};

struct Key {
  About about = About::identity;
  std::string digest;  // 16 octets of length-prefixed parts, so that no address can
                       // imitate another one's key
  // For people; addresses are in the digest only.
  Identity identity;
  std::string domain;  // the hosted domain; of an identity the scope, see below
  // There is a record of the best identity for the same.
  bool is_second = false;
};

// The keys of one sender have one scope: the organisation of its domain; for the null
// sender that of the client, or the hosted domain if the client has no verified one.  In
// Redis it is the hash tag.  An identity is known for its scope only: that mail of one
// domain has passed from a network says little of mail in the name of another.
struct Keys {
  std::string scope;  // "acme.example", for the null sender "<>acme.example"
  bool has_best = false;
  bool has_provider = false;
  std::array<Key, kSlots> by_slot;  // without a best identity only those of the network

  const Key& at(Slot slot) const { return by_slot[static_cast<std::size_t>(slot)]; }
};

std::string scope_of(const Identity& best, std::string_view sender,
                     std::string_view hosted_domain);

// What the policy of the domain asks of such a client.
Terms terms_for(const Identities& identities, const GreylistPolicy& policy);

// The key for the normalised sender and the recipient, of which only the digest is known.
Key passed_key(const Identity& network, std::string_view domain,
               std::string_view mail_digest);

// `domain` is the hosted domain whose policy applies.
Keys keys_of(const Identities& identities, std::string_view sender,
             const Recipient& recipient, std::string_view domain);

}  // namespace mxfeed::greylist
