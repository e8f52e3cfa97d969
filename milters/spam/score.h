// SPDX-License-Identifier: GPL-2.0-or-later
//
// From evidence to a probability of spam and a level.  Pure.

#pragma once

#include <span>
#include <string_view>

#include "common/policy/domain_policy.h"
#include "milters/spam/evidence/evidence.h"
#include "milters/spam/model/combiner.h"

namespace mxfeed::spam {

struct Score {
  double logit = 0;           // the bias plus the parts of the groups
  double probability = 0;     // of spam
  bool proven = false;        // one piece of evidence is enough alone
  unsigned groups = 0;        // number of groups that speak for spam
  Alone alone = Alone::none;  // the most that one of them may say without the others
};

// `combiner`: that of the model in force.
[[nodiscard]] Score score(std::span<const Evidence> findings,
                          const Combiner& combiner = {});

// Every level but "none" needs proof, two groups that speak for spam, or evidence that
// may reach it alone.
[[nodiscard]] SpamLevel level(const Score& score, const SpamPolicy& policy);

std::string_view to_string(SpamLevel level);

}  // namespace mxfeed::spam
