// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether the content model has proved itself on local mail: from what it said of each
// labelled message before it learned the label.  Pure.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace mxfeed::spam {

// The lower end of a one-sided 95 % confidence interval for a share (Wilson 1927), when
// `right` of `all` were right.  0 without any.
double wilson_bound(std::uint64_t right, std::uint64_t all);

// Where the levels begin when a domain does not say; the table has a row for each level.
inline constexpr std::array<double, 3> kLevelsBegin = {0.5, 0.9, 0.99};

// What became of the predictions of each level: none, low, med, high.
class Reliability {
 public:
  struct Row {
    std::uint64_t ham = 0;
    std::uint64_t spam = 0;
    bool operator==(const Row&) const = default;
  };

  void add(double probability, bool is_spam);
  const std::array<Row, 4>& rows() const { return rows_; }
  std::array<Row, 4>& rows() { return rows_; }
  bool operator==(const Reliability&) const = default;

 private:
  std::array<Row, 4> rows_{};
};

// Whether "high" is proved to mean 99 % spam, on one side and on the other: of what was
// called high at least 99 % was spam, and of the ham at least 99 % was not called high.
// The second one matters where mostly spam is labelled: 268 spams say nothing of ham.
bool may_say_high(const Reliability& reliability);

}  // namespace mxfeed::spam
