// SPDX-License-Identifier: GPL-2.0-or-later
//
// Learns in memory as a site does, message after message, each of which is judged before
// its label is known.

#pragma once

#include <span>
#include <vector>

#include "milters/spam/model/model.h"
#include "milters/spam/model/replay.h"

namespace mxfeed::spam {

// One thread at a time.
class Progress {
 public:
  // `others`: the sums of what was found besides the content.
  void learn(const Lesson& lesson, const GroupValues& others);

  double margin(std::span<const std::uint32_t> features) const {
    return learner_.margin(features);
  }
  const Counts& counts() const { return counts_; }
  // What follows from the predictions up to now.
  ModelFacts facts() const;

 private:
  Learner learner_;
  Counts counts_;
  std::vector<Arrival> arrivals_;
};

// The sums with what the model says of the content.
GroupValues with_content(GroupValues sums, double margin);

// A model that was made in memory.
struct TaughtModel {
  Weights weights;
  ModelFacts facts;
};

// Learns the lessons, which have the sums of `others`; on all cores.  What is known
// besides the weights comes from learning them in another order, one after the other.
TaughtModel teach(std::span<const Lesson> lessons, std::span<const GroupValues> others,
                  std::uint64_t seed = 0);

}  // namespace mxfeed::spam
