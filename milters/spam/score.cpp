// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/score.h"

#include <algorithm>

#include "milters/spam/model/numeric.h"

namespace mxfeed::spam {

unsigned agreeing_groups(const GroupValues& sums, const Combiner& combiner) {
  return static_cast<unsigned>(std::ranges::count_if(kGroups, [&](Group group) {
    return combiner.part(group, sums[group]) >= kLeastAgreement;
  }));
}

Score score(std::span<const Evidence> findings, const Combiner& combiner) {
  Score result;
  const GroupValues sums = group_sums(findings);
  for (const Group group : kGroups) {
    if (sums[group] > 0) ++result.groups;
  }
  result.agreeing = agreeing_groups(sums, combiner);
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

SpamLevel most_by_groups(const Score& score) {
  if (score.groups < 2) return SpamLevel::none;
  return score.agreeing < 2 ? SpamLevel::med : SpamLevel::high;
}

}  // namespace

SpamLevel level(const Score& score, const SpamPolicy& policy) {
  if (score.proven) return SpamLevel::high;
  SpamLevel level = SpamLevel::none;
  if (score.probability >= policy.begins[0]) level = SpamLevel::low;
  if (score.probability >= policy.begins[1]) level = SpamLevel::med;
  if (score.probability >= policy.begins[2]) level = SpamLevel::high;
  return std::min(level, std::max(most_by_groups(score), most_alone(score.alone)));
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
