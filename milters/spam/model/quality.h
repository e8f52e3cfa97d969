// SPDX-License-Identifier: GPL-2.0-or-later
//
// How well scores tell spam from ham.  Pure.

#pragma once

#include <cstddef>
#include <vector>

namespace mxfeed::spam {

struct Judged {
  double logit;  // above zero: spam
  bool is_spam;
};

// How many of each class have one score.
struct SameScore {
  double ham;
  double spam;
};
// From the lowest score to the highest.
std::vector<SameScore> by_score(std::vector<Judged> all);

// 1-ROCA in percent: how often, of a ham and a spam, the ham has the higher score; equal
// scores count half.  0 if one of the classes is empty.
double misranked(std::vector<Judged> all);

// The percentage of the spam that scores higher than all ham but a share of
// `false_alarms` of it (0.001: one in a thousand, rounded down).
double hits_at(const std::vector<Judged>& all, double false_alarms);

// Of one class, how many have at least the probability.
std::size_t count_from(const std::vector<Judged>& all, bool is_spam, double probability);

}  // namespace mxfeed::spam
