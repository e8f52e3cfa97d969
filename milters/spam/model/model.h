// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the content model says of a message, and when it may say it.  Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "common/base/clock.h"
#include "milters/spam/model/combiner.h"
#include "milters/spam/model/combiner_fit.h"
#include "milters/spam/model/learner.h"
#include "milters/spam/model/maturity.h"

namespace mxfeed::spam {

// How many messages were learned of each class.
struct Counts {
  std::uint64_t ham = 0;
  std::uint64_t spam = 0;
  bool operator==(const Counts&) const = default;
};

// Below kLeastLearned of either class the model abstains: 0.  From kFullyLearned on its
// word counts in full: 1.
inline constexpr std::uint64_t kLeastLearned = 100;
inline constexpr std::uint64_t kFullyLearned = 300;
double ramp(const Counts& counts);

// What is known of a model besides its weights.
struct ModelFacts {
  Counts counts;
  Combiner combiner;  // for all evidence
  Reliability reliability;
  Time made;
  bool operator==(const ModelFacts&) const = default;
};

// What follows from the newest kMostPredictions predictions that were made before the
// labels were known.
inline constexpr std::size_t kMostPredictions = 5000;
ModelFacts facts_of(const Counts& counts, std::span<const Arrival> arrivals);

// What content may add to the log-odds before the model has proved itself, or take away:
// with any bias (kBiasBounds) less than "high".  Later the cap of its group bounds it.
inline constexpr double kMostImmature = 4.5;

struct Opinion {
  double logit = 0;  // above zero: spam; what the combiner makes of it is bounded
  bool is_mature = false;
};

// The opinion of a model that gives the message this margin (learner.h); nothing if it
// abstains.
std::optional<Opinion> opinion(const ModelFacts& facts, double margin);

}  // namespace mxfeed::spam
