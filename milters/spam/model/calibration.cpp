// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "milters/spam/model/numeric.h"

namespace mxfeed::spam {
namespace {

// How strongly slope 1 and offset 0 are believed in, in messages.
constexpr double kBelief = 20;
constexpr double kLeastSlope = 0.25;
constexpr double kMostSlope = 2;
constexpr double kMostOffset = 3;
constexpr int kRounds = 30;
constexpr double kNear = 1e-9;

}  // namespace

Calibration calibrate(std::span<const Judged> predictions) {
  const auto spam =
      static_cast<double>(std::count_if(predictions.begin(), predictions.end(),
                                        [](const Judged& one) { return one.is_spam; }));
  const double ham = static_cast<double>(predictions.size()) - spam;
  Calibration fit;
  if (spam < kLeastPredictions || ham < kLeastPredictions) return fit;
  const double spam_weight = (spam + ham) / (2 * spam);
  const double ham_weight = (spam + ham) / (2 * ham);
  // Platt's targets: no prediction is certain.
  const double spam_target = (spam + 1) / (spam + 2);
  const double ham_target = 1 / (ham + 2);
  // Newton's method on the penalised likelihood.
  for (int round = 0; round < kRounds; ++round) {
    double by_slope = kBelief * (fit.slope - 1);
    double by_offset = kBelief * fit.offset;
    double slope_slope = kBelief;
    double slope_offset = 0;
    double offset_offset = kBelief;
    for (const Judged& one : predictions) {
      const double weight = one.is_spam ? spam_weight : ham_weight;
      const double p = sigmoid(fit(one.logit));
      const double error = weight * (p - (one.is_spam ? spam_target : ham_target));
      const double curve = weight * p * (1 - p);
      by_slope += error * one.logit;
      by_offset += error;
      slope_slope += curve * one.logit * one.logit;
      slope_offset += curve * one.logit;
      offset_offset += curve;
    }
    const double determinant = slope_slope * offset_offset - slope_offset * slope_offset;
    const double slope_step =
        (offset_offset * by_slope - slope_offset * by_offset) / determinant;
    const double offset_step =
        (slope_slope * by_offset - slope_offset * by_slope) / determinant;
    fit.slope = std::clamp(fit.slope - slope_step, kLeastSlope, kMostSlope);
    fit.offset = std::clamp(fit.offset - offset_step, -kMostOffset, kMostOffset);
    if (std::abs(slope_step) < kNear && std::abs(offset_step) < kNear) break;
  }
  return fit;
}

}  // namespace mxfeed::spam
