// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/learner.h"

#include <cmath>

#include "milters/spam/model/numeric.h"

namespace mxfeed::spam {
namespace {

// What the sum of squares of a weight begins with.  Without it a message that is certain
// already would move the weights of its new features as far as one that surprises.
constexpr float kFirstSquare = 1e-7F;

double scale_of(std::span<const std::uint32_t> features) {
  return 1 / std::sqrt(static_cast<double>(features.size()));
}

}  // namespace

double margin(std::span<const float> weights, std::span<const std::uint32_t> features) {
  if (features.empty()) return 0;
  double sum = 0;
  for (const std::uint32_t feature : features) sum += weights[feature];
  return sum * scale_of(features);
}

double Learner::margin(std::span<const std::uint32_t> features) const {
  if (features.empty()) return 0;
  double sum = 0;
  for (const std::uint32_t feature : features) sum += cells_[feature].weight;
  return sum * scale_of(features);
}

void Learner::learn(std::span<const std::uint32_t> features, Label label,
                    const Rate& rate) {
  if (features.empty()) return;
  const double scale = scale_of(features);
  const double target = label == Label::spam ? 1 : 0;
  const auto gradient = static_cast<float>((sigmoid(margin(features)) - target) * scale);
  const float square = gradient * gradient;
  const float factor = static_cast<float>(rate.step) * gradient;
  steps_.resize(features.size());
  double change = 0;
  for (std::size_t i = 0; i < features.size(); ++i) {
    Cell& cell = cells_[features[i]];
    cell.squares += square;
    steps_[i] = factor / std::sqrt(cell.squares + kFirstSquare);
    change += steps_[i];
  }
  change = std::abs(change * scale);
  const auto shrink = static_cast<float>(change > rate.most ? rate.most / change : 1.0);
  for (std::size_t i = 0; i < features.size(); ++i) {
    cells_[features[i]].weight -= shrink * steps_[i];
  }
}

Weights Learner::weights() const {
  Weights weights;
  weights.reserve(cells_.size());
  for (const Cell& cell : cells_) weights.push_back(cell.weight);
  return weights;
}

}  // namespace mxfeed::spam
