// SPDX-License-Identifier: GPL-2.0-or-later
//
// Learns from labelled messages what the groups of evidence count on local mail.  Pure;
// the same bits on every machine.

#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "milters/spam/model/combiner.h"

namespace mxfeed::spam {

// What was found in a message when it came, before anybody labelled it.
struct Arrival {
  GroupValues sums;
  bool is_spam = false;
  std::string_view domain;  // whose label it is; empty: the operator's
};

// Below this number of either class a combiner stays as it is shipped.
inline constexpr std::size_t kLeastArrivals = 50;

// The most probable weights, given the labels and a prior belief in the shipped ones:
// the fewer labels, the nearer they stay.  Rules of the domain and the test line keep
// their weights.  The order of the arrivals makes a difference in the last bits.
Combiner fit_combiner(std::span<const Arrival> arrivals);

}  // namespace mxfeed::spam
