// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/model.h"

#include <algorithm>

namespace mxfeed::spam {

double ramp(const Counts& counts) {
  const std::uint64_t fewest =
      std::clamp(std::min(counts.ham, counts.spam), kLeastLearned, kFullyLearned);
  return static_cast<double>(fewest - kLeastLearned) /
         static_cast<double>(kFullyLearned - kLeastLearned);
}

std::optional<Opinion> opinion(const ModelFacts& facts, double margin) {
  const double weight = ramp(facts.counts);
  if (weight == 0) return std::nullopt;
  Opinion result;
  result.is_mature = may_say_high(facts.reliability);
  const double most = result.is_mature ? kMostContent : kMostImmature;
  result.logit = std::clamp(weight * facts.calibration(margin), -most, most);
  return result;
}

}  // namespace mxfeed::spam
