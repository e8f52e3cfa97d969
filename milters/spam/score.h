// SPDX-License-Identifier: GPL-2.0-or-later
//
// From evidence to a probability of spam and a level.  Pure.

#pragma once

#include <span>
#include <string_view>

#include "common/policy/domain_policy.h"
#include "milters/spam/evidence/evidence.h"

namespace mxfeed::spam {

struct Score {
  double logit = 0;        // the bias and the groups' sums
  double probability = 0;  // of spam
  bool proven = false;     // there is evidence that is enough alone
  unsigned groups = 0;     // that speak for spam
};

// The log-odds of a message without any evidence: about 0.18.
inline constexpr double kBias = -1.5;

// The most that a group may add and take away.
struct Cap {
  double most;
  double least;
};
Cap cap_of(Group group);

[[nodiscard]] Score score(std::span<const Evidence> findings);

// "high" needs two groups that speak for spam, or proof; else it is "med".
[[nodiscard]] SpamLevel level(const Score& score, const SpamPolicy& policy);

std::string_view name_of(SpamLevel level);

}  // namespace mxfeed::spam
