// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/score.h"

#include <algorithm>

#include "milters/spam/model/numeric.h"

namespace mxfeed::spam {

Score score(std::span<const Evidence> findings, const Combiner& combiner) {
  Score result;
  const GroupValues sums = group_sums(findings);
  for (const Group group : kGroups) {
    if (sums[group] > 0) ++result.groups;
  }
  for (const Evidence& evidence : findings) {
    result.proven |= evidence.proven;
    if (evidence.logit > 0) result.alone = std::max(result.alone, evidence.alone);
  }
  result.logit = combiner(sums);
  result.probability = sigmoid(result.logit);
  return result;
}

namespace {

SpamLevel most_alone(Alone alone) {
  switch (alone) {
    case Alone::none:
      return SpamLevel::none;
    case Alone::med:
      return SpamLevel::med;
    case Alone::high:
      return SpamLevel::high;
  }
  return SpamLevel::none;
}

}  // namespace

SpamLevel level(const Score& score, const SpamPolicy& policy) {
  if (score.proven) return SpamLevel::high;
  SpamLevel level = SpamLevel::none;
  if (score.probability >= policy.begins[0]) level = SpamLevel::low;
  if (score.probability >= policy.begins[1]) level = SpamLevel::med;
  if (score.probability >= policy.begins[2]) level = SpamLevel::high;
  return score.groups < 2 ? std::min(level, most_alone(score.alone)) : level;
}

std::string_view to_string(SpamLevel level) {
  switch (level) {
    case SpamLevel::none:
      return "none";
    case SpamLevel::low:
      return "low";
    case SpamLevel::med:
      return "med";
    case SpamLevel::high:
      return "high";
  }
  return "?";
}

}  // namespace mxfeed::spam
