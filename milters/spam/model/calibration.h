// SPDX-License-Identifier: GPL-2.0-or-later
//
// Corrects log-odds that are too bold or too timid on local mail (Platt 1999).  Pure; the
// same bits on every machine.

#pragma once

#include <span>

#include "milters/spam/model/quality.h"

namespace mxfeed::spam {

struct Calibration {
  double slope = 1;
  double offset = 0;

  double operator()(double logit) const { return slope * logit + offset; }
  bool operator==(const Calibration&) const = default;
};

// Below this number of predictions of either class nothing is corrected.
inline constexpr std::size_t kLeastPredictions = 50;

// Fits predictions to labels, both classes weighing the same: users report spam more than
// ham.  The fewer there are, the nearer it stays to no correction.
Calibration calibrate(std::span<const Judged> predictions);

}  // namespace mxfeed::spam
