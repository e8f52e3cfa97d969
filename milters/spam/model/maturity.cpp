// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/maturity.h"

#include <algorithm>
#include <cmath>

namespace mxfeed::spam {
namespace {

constexpr double kDeviate =
    1.6448536269514722;  // 95 % of a normal distribution are below
constexpr double kProof = 0.99;

}  // namespace

double wilson_bound(std::uint64_t right, std::uint64_t all) {
  if (all == 0) return 0;
  const auto n = static_cast<double>(all);
  const double share = static_cast<double>(right) / n;
  const double square = kDeviate * kDeviate;
  const double middle = share + square / (2 * n);
  const double half = kDeviate * std::sqrt((share * (1 - share) + square / (4 * n)) / n);
  return std::max(0.0, (middle - half) / (1 + square / n));
}

void Reliability::add(double probability, bool is_spam) {
  const auto level = static_cast<std::size_t>(
      std::upper_bound(kLevelsBegin.begin(), kLevelsBegin.end(), probability) -
      kLevelsBegin.begin());
  Row& row = rows_.at(level);
  ++(is_spam ? row.spam : row.ham);
}

bool may_say_high(const Reliability& reliability) {
  const Reliability::Row& high = reliability.rows().back();
  std::uint64_t ham = 0;
  for (const Reliability::Row& row : reliability.rows()) ham += row.ham;
  return wilson_bound(high.spam, high.spam + high.ham) >= kProof &&
         wilson_bound(ham - high.ham, ham) >= kProof;
}

}  // namespace mxfeed::spam
