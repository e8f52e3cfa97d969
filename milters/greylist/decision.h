// SPDX-License-Identifier: GPL-2.0-or-later
//
// Greylisting as a pure function of what the store has, the clock and the policy: no I/O,
// no globals.  Each row of the table in mxfeed-greylist(8) is a row of decision_test.cpp.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/policy/domain_policy.h"

namespace mxfeed::greylist {

// What one recipient's mail of one sender can be remembered by.  The best identity comes
// first; a client without a verified one does not have its three.
enum class Slot : std::uint8_t {
  best_identity,  // the identity, for any sender address of the domain
  best_passed,    // identity, sender and recipient
  best_waiting,   // identity, sender address and recipient
  network_identity,
  network_passed,
  network_waiting,
  host,      // the client's address, for any sender
  provider,  // the organisation of the client's name, for any sender whose domain is
             // verified
};
inline constexpr std::size_t kSlots = 8;

struct Record {
  Time first_seen;
  Time last_seen;
  Time expires;  // valid up to and including this second
  // How many messages have passed.  Of an identity at most one an hour counts.
  std::uint32_t passes = 0;
  bool operator==(const Record&) const = default;
};

// What the store has.
using Look = std::function<std::optional<Record>(Slot)>;

// Nothing: the record is to be removed.
struct Change {
  Slot slot;
  std::optional<Record> record;
  bool operator==(const Change&) const = default;
};

enum class Outcome : std::uint8_t {
  first_seen,      // defer: never seen, or its record had expired
  too_early,       // defer: came back before the delay was over
  flood,           // defer: too many that wait; not remembered
  passed,          // let through: waited long enough
  known,           // let through: had passed before
  known_identity,  // let through: others of this identity had passed before
};

struct Decision {
  Outcome outcome = Outcome::first_seen;
  std::chrono::seconds wait{0};    // still to wait
  std::chrono::seconds waited{0};  // of one that has passed now
  std::vector<Change> changes;

  bool lets_through() const { return outcome >= Outcome::passed; }
};

// So many messages have to pass, at most one an hour, before all do: those of a verified
// domain in its name, and those of a provider's hosts in the names of other verified
// domains.
inline constexpr std::uint32_t kDomainPasses = 1;
inline constexpr std::uint32_t kProviderPasses = 1;
// Those of a network or another organisation in the name of one domain, and those of a
// host in any.
inline constexpr std::uint32_t kOtherPasses = 2;

// What a decision depends on besides the store.
struct Terms {
  std::chrono::seconds delay{180};
  std::chrono::seconds retry_window{86'400};
  std::chrono::seconds keep{3'110'400};
  bool is_verified = false;  // the client has a better identity than its network
  std::uint32_t best_passes = kDomainPasses;
  bool has_provider = false;  // the verified client is a host of another organisation
  bool may_wait = true;       // a new sender may be remembered
  // Only mail of this sender to this recipient counts, not that of others of its
  // identity.
  bool only_this_mail = false;
};
Terms terms_of(const GreylistPolicy& policy, bool is_verified);
// The delay is at least that; a wait ends before the window does.
void lengthen(Terms& terms, std::chrono::seconds delay);

// A retry that comes too early does not change when the sender was first seen.  If the
// clock went backwards, no time has passed.  A known sender's record is written at most
// once a day, so that most decisions only read.
[[nodiscard]] Decision decide(const Look& look, Time now, const Terms& terms);

// Postfix itself has deferred the mail: the wait begins, unless it has begun or there is
// none.  What the decision says of the mail has no meaning.
[[nodiscard]] Decision begin(const Look& look, Time now, const Terms& terms);

// The decision for a further recipient of a message.  The first one has decided for all,
// since some senders lose recipients when only a part is let through.  If let through,
// this one is recorded as passed; if deferred, as first seen unless it was seen before.
[[nodiscard]] Decision follow(const Look& look, Time now, const Terms& terms,
                              bool let_through);

}  // namespace mxfeed::greylist
