// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which clients have written to addresses that nobody has a reason to write to: to a trap
// of the domain's policy, or to many recipients that do not exist.  Their new senders
// wait longer; nothing is refused for it.  What is known of senders goes first: so a
// provider whose mail passes does not suffer from one of its customers.
//
// It is kept in memory, of this host only, and forgotten at a restart.

#pragma once

#include <string>

#include "common/base/clock.h"
#include "milters/greylist/identity.h"
#include "milters/greylist/recent.h"

namespace mxfeed::greylist {

// Thread-safe.
class Traps {
 public:
  static constexpr std::chrono::hours kKept{24};
  // So many refusals of unknown recipients in an hour, of a client without a verified
  // identity, are as one trap.  Senders of lists, who have old addresses, are verified.
  static constexpr unsigned kMostUnknown = 10;

  bool has(const Identities& who, Time now) const;
  void note_trap(const Identities& who, Time now);
  // Postfix has refused a recipient that does not exist.  Whether it is the one too many.
  bool note_unknown(const Identities& who, Time now);

 private:
  static constexpr std::chrono::hours kUnknownWindow{1};

  Recent<bool> caught_{50'000};
  Recent<unsigned> unknown_{50'000};
};

}  // namespace mxfeed::greylist
