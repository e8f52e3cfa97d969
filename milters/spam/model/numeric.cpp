// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/numeric.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace mxfeed::spam {

double portable_exp(double x) {
  constexpr double kMost = 700;
  // ln 2 in two parts: the product of the first one with a whole number is exact.
  constexpr double kLn2High = 6.93147180369123816490e-01;
  constexpr double kLn2Low = 1.90821492927058770002e-10;
  constexpr double kPerLn2 = 1.44269504088896338700;
  x = std::clamp(x, -kMost, kMost);
  const auto power = static_cast<std::int64_t>(x * kPerLn2 + (x < 0 ? -0.5 : 0.5));
  const auto whole = static_cast<double>(power);
  const double rest = (x - whole * kLn2High) - whole * kLn2Low;  // within +-0.35
  double sum = 1;
  for (int i = 13; i > 0; --i) sum = 1 + sum * rest / i;
  return sum * std::bit_cast<double>(static_cast<std::uint64_t>(power + 1023) << 52);
}

double sigmoid(double logit) {
  if (logit >= 0) return 1 / (1 + portable_exp(-logit));
  const double odds = portable_exp(logit);
  return odds / (1 + odds);
}

}  // namespace mxfeed::spam
