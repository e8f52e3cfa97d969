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

// What a group must add to the log-odds, by what was learned here, to count as one of the
// two that "high" needs.  Content that is neither ham nor spam adds less, and so does a
// group that local labels have shown to mean little.  The weakest evidence adds 0.25 as
// it is shipped, and a bound above that loses spam (tests/bench/spam).
inline constexpr double kLeastAgreement = 0.2;

struct Score {
  double logit = 0;           // the bias plus the parts of the groups
  double probability = 0;     // of spam
  bool proven = false;        // one piece of evidence is enough alone
  unsigned groups = 0;        // number of groups that speak for spam
  unsigned agreeing = 0;      // of these, those that add kLeastAgreement
  Alone alone = Alone::none;  // the most that one of them may say without the others
};

// `combiner`: that of the model in force.
[[nodiscard]] Score score(std::span<const Evidence> findings,
                          const Combiner& combiner = {});

// How many groups add kLeastAgreement or more.
[[nodiscard]] unsigned agreeing_groups(const GroupValues& sums, const Combiner& combiner);

// Every level but "none" needs proof, two groups that speak for spam, or evidence that
// may reach it alone; "high" needs two that add kLeastAgreement.
[[nodiscard]] SpamLevel level(const Score& score, const SpamPolicy& policy);

std::string_view to_string(SpamLevel level);

}  // namespace mxfeed::spam
