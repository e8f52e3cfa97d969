// SPDX-License-Identifier: GPL-2.0-or-later
//
// Logistic regression, learned one message after the other: AdaGrad (Duchi et al. 2011)
// on features that count 1/sqrt(number of features) each.  The arithmetic is the same
// bits on every machine.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "milters/spam/model/features.h"

namespace mxfeed::spam {

enum class Label : std::uint8_t { ham, spam };

// How much a message may teach.
struct Rate {
  double step = 0.5;
  double most = 8;  // change of the message's own log-odds
  bool operator==(const Rate&) const = default;
};

// The weight of each bucket: kBuckets of them.
using Weights = std::vector<float>;

// The log-odds that weights give a message; 0 without features.
double margin(std::span<const float> weights, std::span<const std::uint32_t> features);

// One thread at a time.  8 MB.
class Learner {
 public:
  Learner() : cells_(kBuckets) {}

  double margin(std::span<const std::uint32_t> features) const;
  float weight(std::uint32_t bucket) const { return cells_[bucket].weight; }
  void learn(std::span<const std::uint32_t> features, Label label, const Rate& rate);
  Weights weights() const;

 private:
  struct Cell {
    float weight = 0;
    float squares = 0;  // sum of the squared gradients so far
  };
  std::vector<Cell> cells_;
  std::vector<float> steps_;  // of the present message
};

}  // namespace mxfeed::spam
