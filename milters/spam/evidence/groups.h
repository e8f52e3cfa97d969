// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the evidence of each group adds up to.  Pure.

#pragma once

#include <array>
#include <cstddef>
#include <iterator>
#include <span>

#include "milters/spam/evidence/evidence.h"

namespace mxfeed::spam {

// The most that a group may add or take away.  Except for proof, content, an engine,
// lists of domains and people whom the domain has named, no group reaches a level alone:
// each stays below -kBias (combiner.h).
struct Cap {
  double most;
  double least;
};
Cap cap_of(Group group);

// A number for each group.
class GroupValues {
 public:
  constexpr GroupValues() = default;
  explicit constexpr GroupValues(double value) { values_.fill(value); }
  constexpr double& operator[](Group group) { return values_[index(group)]; }
  constexpr double operator[](Group group) const { return values_[index(group)]; }
  bool operator==(const GroupValues&) const = default;

 private:
  static constexpr std::size_t index(Group group) {
    return static_cast<std::size_t>(group);
  }
  std::array<double, std::size(kGroups)> values_{};
};

// The sums of the log-odds, each within the cap of its group.
GroupValues group_sums(std::span<const Evidence> findings);

}  // namespace mxfeed::spam
