// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/model.h"

#include <algorithm>

#include "milters/spam/model/numeric.h"

namespace mxfeed::spam {

double ramp(const Counts& counts) {
  const std::uint64_t fewest =
      std::clamp(std::min(counts.ham, counts.spam), kLeastLearned, kFullyLearned);
  return static_cast<double>(fewest - kLeastLearned) /
         static_cast<double>(kFullyLearned - kLeastLearned);
}

ModelFacts facts_of(const Counts& counts, std::span<const Arrival> arrivals) {
  ModelFacts facts;
  facts.counts = counts;
  facts.combiner = fit_combiner(arrivals);
  for (const Arrival& one : arrivals) {
    facts.reliability.add(sigmoid(facts.combiner(one.sums)), one.is_spam);
  }
  return facts;
}

std::optional<Opinion> opinion(const ModelFacts& facts, double margin) {
  const double weight = ramp(facts.counts);
  if (weight == 0) return std::nullopt;
  Opinion result;
  result.is_mature = may_say_high(facts.reliability);
  const Cap cap = cap_of(Group::content);
  result.logit = std::clamp(weight * margin, cap.least, cap.most);
  if (!result.is_mature) {
    const double most = kMostImmature / facts.combiner.weights[Group::content];
    result.logit = std::clamp(result.logit, -most, most);
  }
  return result;
}

}  // namespace mxfeed::spam
