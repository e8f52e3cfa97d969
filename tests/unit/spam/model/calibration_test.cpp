// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/calibration.h"

#include <cmath>
#include <random>
#include <vector>

#include "milters/spam/model/numeric.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

// Predictions whose true log-odds are slope * logit + offset, at equal shares.
std::vector<Judged> predictions(std::size_t count, double slope, double offset) {
  std::mt19937_64 random(1);
  std::vector<Judged> all;
  while (all.size() < count) {
    const double logit = static_cast<double>(random() % 10'000) / 1000 - 5;
    const double chance = static_cast<double>(random() >> 11) * 0x1p-53;
    all.push_back({logit, chance < sigmoid(slope * logit + offset)});
  }
  return all;
}

TEST_CASE("few predictions change nothing", "[spam]") {
  CHECK(calibrate({}) == Calibration{});
  CHECK(calibrate(predictions(60, 2, 1)) == Calibration{});
  CHECK(calibrate(std::vector<Judged>(5000, {3, true})) == Calibration{});
}

TEST_CASE("what is too bold or too timid is corrected", "[spam]") {
  for (const double slope : {0.5, 1.0, 1.5}) {
    CAPTURE(slope);
    const Calibration fit = calibrate(predictions(5000, slope, 0));
    CHECK(fit.slope == Catch::Approx(slope).margin(0.15));
    CHECK(fit.offset == Catch::Approx(0).margin(0.2));
  }
}

TEST_CASE("the correction is bounded and finite for any predictions", "[spam]") {
  for (const double logit : {0.0, 1e-9, 30.0, -30.0}) {
    std::vector<Judged> all(200, {logit, true});
    all.resize(400, {-logit, false});
    const Calibration fit = calibrate(all);
    CAPTURE(logit, fit.slope, fit.offset);
    CHECK(fit.slope >= 0.25);
    CHECK(fit.slope <= 2);
    CHECK(std::abs(fit.offset) <= 3);
  }
}

TEST_CASE("users who report spam only do not make everything spam", "[spam]") {
  std::vector<Judged> skewed;
  for (const Judged& one : predictions(6000, 1, 0)) {
    if (one.is_spam || skewed.size() % 10 == 0) skewed.push_back(one);
  }
  CHECK(std::abs(calibrate(skewed).offset) < 0.4);
}

}  // namespace
}  // namespace mxfeed::spam
