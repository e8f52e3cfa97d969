// SPDX-License-Identifier: GPL-2.0-or-later
//
// From the sums of the groups of evidence to log-odds of spam.  Pure; the same bits on
// every machine.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "milters/spam/evidence/groups.h"

namespace mxfeed::spam {

// The log-odds of a message without any evidence: a probability of 0.12.
inline constexpr double kBias = -2.0;

// As it is shipped, every sum counts once.  fit_combiner() learns what they count on
// local mail.
struct Combiner {
  double bias = kBias;
  GroupValues weights{1};

  // What a group adds to the log-odds, within the group's cap.
  double part(Group group, double sum) const;
  double operator()(const GroupValues& sums) const;

  // Groups by their names.
  std::string bytes() const;
  // Groups that are not known are left out, and those that are missing count once.
  // Nothing for damaged bytes.
  static std::optional<Combiner> from_bytes(std::string_view bytes);

  bool operator==(const Combiner&) const = default;
};

// The bounds of what is learned: labels of one customer can move the level of another one
// by so much only, and no evidence turns round.
struct Bounds {
  double least;
  double most;
};
inline constexpr Bounds kBiasBounds{-4, -1};
inline constexpr Bounds kWeightBounds{0.1, 2};

}  // namespace mxfeed::spam
