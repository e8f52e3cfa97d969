// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/quality.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "milters/spam/model/numeric.h"

namespace mxfeed::spam {

std::vector<SameScore> by_score(std::vector<Judged> all) {
  std::sort(all.begin(), all.end(),
            [](const Judged& a, const Judged& b) { return a.logit < b.logit; });
  std::vector<SameScore> scores;
  for (auto at = all.begin(); at != all.end();) {
    const auto end = std::find_if(
        at, all.end(), [&](const Judged& one) { return one.logit != at->logit; });
    const auto spam = static_cast<double>(
        std::count_if(at, end, [](const Judged& one) { return one.is_spam; }));
    scores.push_back({static_cast<double>(end - at) - spam, spam});
    at = end;
  }
  return scores;
}

double misranked(std::vector<Judged> all) {
  double wrong = 0;  // pairs
  double spam_below = 0;
  double ham = 0;
  for (const SameScore& here : by_score(std::move(all))) {
    wrong += here.ham * (spam_below + here.spam / 2);
    spam_below += here.spam;
    ham += here.ham;
  }
  return ham == 0 || spam_below == 0 ? 0 : 100 * wrong / (ham * spam_below);
}

double hits_at(const std::vector<Judged>& all, double false_alarms) {
  std::vector<double> ham;
  for (const Judged& one : all) {
    if (!one.is_spam) ham.push_back(one.logit);
  }
  const std::size_t spam = all.size() - ham.size();
  if (spam == 0) return 0;
  std::sort(ham.begin(), ham.end(), std::greater<>());
  const auto allowed =
      static_cast<std::size_t>(false_alarms * static_cast<double>(ham.size()) + 1e-9);
  const auto hits = std::count_if(all.begin(), all.end(), [&](const Judged& one) {
    return one.is_spam && (allowed >= ham.size() || one.logit > ham[allowed]);
  });
  return 100.0 * static_cast<double>(hits) / static_cast<double>(spam);
}

std::size_t count_from(const std::vector<Judged>& all, bool is_spam, double probability) {
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const Judged& one) {
        return one.is_spam == is_spam && sigmoid(one.logit) >= probability;
      }));
}

}  // namespace mxfeed::spam
