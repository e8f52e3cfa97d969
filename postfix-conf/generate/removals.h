// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which domains a new generation removes, and what it keeps for their queued mail.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "postfix-conf/generate/compile.h"
#include "postfix-conf/generate/rows.h"

namespace mxfeed {

// What the earlier generation kept, and a later one may drop when no mail waits.
std::vector<RelayKey> kept_keys(const Generated& previous);

struct Removals {
  std::vector<std::string> names;  // domains that were relayed and no longer are
  std::size_t of = 0;              // how many were relayed
  bool nothing_left = false;

  // More than ten and more than 1 %, or all of them.
  bool are_many() const {
    const auto count = names.size();
    return (count > 10 && count * 100 > of) || (count > 0 && nothing_left);
  }
};

// What a new list of a domain's recipients lacks of the one before.
struct RecipientRemovals {
  std::size_t removed = 0;
  std::size_t of = 0;

  // More than half.
  bool are_many() const { return removed * 2 > of; }
};

// Both in ascending order, each recipient once.
RecipientRemovals find_recipient_removals(const std::vector<std::string>& next,
                                          const std::vector<std::string>& previous);

Removals find_removals(const Wanted& wanted, const Generated& previous);

}  // namespace mxfeed
