// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/combiner_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <vector>

#include "milters/spam/model/numeric.h"

namespace mxfeed::spam {
namespace {

// The bias, then a weight for each group.
constexpr std::size_t kSize = 1 + std::size(kGroups);
using Row = std::array<double, kSize>;
using Matrix = std::array<Row, kSize>;

// How strongly the shipped values are believed in: as in so many messages whose logit
// changes as the value does.  Content is believed in more, since its scale is that of a
// model that was weaker when it judged the older messages.
constexpr double kBelief = 100;
constexpr double kBeliefInBias = 200;
constexpr double kBeliefInContent = 400;

// Labels do not tell how much of the mail is spam: users report spam more than ham.  Most
// of what gets past the lists and greylisting is ham.
constexpr double kShareOfSpam = 0.35;

// How many labels are taken to be wrong.  Without it a few wrong ones that contradict
// sure content would make all probabilities timid.
constexpr double kWrongLabels = 0.01;

constexpr int kRounds = 40;
constexpr double kNear = 1e-9;

bool is_fixed(Group group) {
  switch (group) {
    case Group::impersonation:
    case Group::rule:
    case Group::engine:
    case Group::test:
      return true;
    default:
      return false;
  }
}

// One arrival with what it counts.
struct Weighted {
  Row values;
  bool is_spam;
  double weight;
};

// What the arrivals of each domain count: one domain at most as much as all others, if
// those have enough to learn from.  Labels without a domain are the operator's.
class DomainShares {
 public:
  DomainShares(std::span<const Arrival> arrivals, bool is_spam) {
    for (const Arrival& one : arrivals) {
      if (one.is_spam == is_spam) ++counts_[one.domain];
    }
    for (const auto& [domain, count] : counts_) all_ += static_cast<double>(count);
    for (const auto& [domain, count] : counts_) {
      total_ += weight(domain) * static_cast<double>(count);
    }
  }

  double weight(std::string_view domain) const {
    const auto own = static_cast<double>(counts_.at(domain));
    const double others = all_ - own;
    const bool is_bounded =
        !domain.empty() && own > others && others >= static_cast<double>(kLeastArrivals);
    return is_bounded ? others / own : 1;
  }
  double all() const { return all_; }
  double total() const { return total_; }  // the sum of the weights

 private:
  std::map<std::string_view, std::size_t> counts_;
  double all_ = 0;
  double total_ = 0;
};

std::vector<Weighted> weighted(std::span<const Arrival> arrivals, const DomainShares& ham,
                               const DomainShares& spam) {
  const double total = ham.total() + spam.total();
  const double ham_weight = total * (1 - kShareOfSpam) / ham.total();
  const double spam_weight = total * kShareOfSpam / spam.total();
  std::vector<Weighted> all;
  all.reserve(arrivals.size());
  for (const Arrival& one : arrivals) {
    Weighted row{{1}, one.is_spam, 0};
    row.weight = one.is_spam ? spam_weight * spam.weight(one.domain)
                             : ham_weight * ham.weight(one.domain);
    for (std::size_t i = 1; i < kSize; ++i) row.values[i] = one.sums[kGroups[i - 1]];
    all.push_back(row);
  }
  return all;
}

// Solves matrix * x = right for a symmetric, positive definite matrix.
Row solved(Matrix matrix, Row right) {
  for (std::size_t i = 0; i < kSize; ++i) {
    for (std::size_t k = i + 1; k < kSize; ++k) {
      const double factor = matrix[k][i] / matrix[i][i];
      for (std::size_t j = i; j < kSize; ++j) matrix[k][j] -= factor * matrix[i][j];
      right[k] -= factor * right[i];
    }
  }
  for (std::size_t i = kSize; i-- > 0;) {
    for (std::size_t j = i + 1; j < kSize; ++j) right[i] -= matrix[i][j] * right[j];
    right[i] /= matrix[i][i];
  }
  return right;
}

struct Parameter {
  double prior;
  double belief;
  Bounds bounds;
};

std::array<Parameter, kSize> parameters() {
  std::array<Parameter, kSize> all{};
  all[0] = {kBias, kBeliefInBias, kBiasBounds};
  for (std::size_t i = 1; i < kSize; ++i) {
    const Group group = kGroups[i - 1];
    const double belief = group == Group::content ? kBeliefInContent : kBelief;
    all[i] = {1, belief, is_fixed(group) ? Bounds{1, 1} : kWeightBounds};
  }
  return all;
}

// The first derivatives of the penalised likelihood, and what is expected of the second
// ones (Fisher's method of scoring).
struct Slopes {
  Row first{};
  Matrix second{};
};

Slopes slopes_at(const Row& point, const std::vector<Weighted>& arrivals,
                 const std::array<Parameter, kSize>& all) {
  Slopes slopes;
  for (std::size_t i = 0; i < kSize; ++i) {
    slopes.first[i] = all[i].belief * (point[i] - all[i].prior);
    slopes.second[i][i] = all[i].belief;
  }
  for (const Weighted& one : arrivals) {
    double logit = 0;
    for (std::size_t i = 0; i < kSize; ++i) logit += point[i] * one.values[i];
    const double p = sigmoid(logit);
    // The probability that it is labelled spam, and its derivative.
    const double labelled = kWrongLabels + (1 - 2 * kWrongLabels) * p;
    const double rise = (1 - 2 * kWrongLabels) * p * (1 - p);
    const double scale = one.weight * rise / (labelled * (1 - labelled));
    const double error = scale * (labelled - (one.is_spam ? 1 : 0));
    const double curve = scale * rise;
    for (std::size_t i = 0; i < kSize; ++i) {
      if (one.values[i] == 0) continue;
      slopes.first[i] += error * one.values[i];
      for (std::size_t j = 0; j < kSize; ++j) {
        slopes.second[i][j] += curve * one.values[i] * one.values[j];
      }
    }
  }
  return slopes;
}

// Takes what stands at its bound and would go beyond it out of the equations.
void hold_at_bounds(Slopes& slopes, const Row& point,
                    const std::array<Parameter, kSize>& all) {
  for (std::size_t i = 0; i < kSize; ++i) {
    const bool is_held = (point[i] <= all[i].bounds.least && slopes.first[i] > 0) ||
                         (point[i] >= all[i].bounds.most && slopes.first[i] < 0);
    if (!is_held) continue;
    for (std::size_t j = 0; j < kSize; ++j) slopes.second[i][j] = slopes.second[j][i] = 0;
    slopes.second[i][i] = 1;
    slopes.first[i] = 0;
  }
}

}  // namespace

Combiner fit_combiner(std::span<const Arrival> arrivals) {
  const DomainShares ham(arrivals, false);
  const DomainShares spam(arrivals, true);
  if (std::min(ham.all(), spam.all()) < static_cast<double>(kLeastArrivals)) return {};
  const std::vector<Weighted> rows = weighted(arrivals, ham, spam);
  const auto all = parameters();
  Row point;
  for (std::size_t i = 0; i < kSize; ++i) point[i] = all[i].prior;
  // Newton's method within the bounds.
  for (int round = 0; round < kRounds; ++round) {
    Slopes slopes = slopes_at(point, rows, all);
    hold_at_bounds(slopes, point, all);
    const Row step = solved(slopes.second, slopes.first);
    double change = 0;
    for (std::size_t i = 0; i < kSize; ++i) {
      const double next =
          std::clamp(point[i] - step[i], all[i].bounds.least, all[i].bounds.most);
      change = std::max(change, std::abs(next - point[i]));
      point[i] = next;
    }
    if (change < kNear) break;
  }
  Combiner combiner;
  combiner.bias = point[0];
  for (std::size_t i = 1; i < kSize; ++i) combiner.weights[kGroups[i - 1]] = point[i];
  return combiner;
}

}  // namespace mxfeed::spam
