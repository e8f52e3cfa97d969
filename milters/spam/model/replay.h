// SPDX-License-Identifier: GPL-2.0-or-later
//
// Learning everything again.  The weights follow from the set of lessons alone: neither
// the order in which they are given nor what was learned and forgotten before makes a
// difference, in any bit.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "milters/spam/model/learner.h"

namespace mxfeed::spam {

// Names a message: a digest.
using SampleId = std::array<std::uint8_t, 16>;

// A message to learn; no two have the same id.
struct Lesson {
  SampleId id;
  Label label;
  Rate rate;
  std::span<const std::uint32_t> features;
};

// The indices of the lessons, shuffled, with both classes spread evenly.
std::vector<std::size_t> lesson_order(std::span<const Lesson> lessons,
                                      std::uint64_t seed);

// Learns all lessons once, in that order.
Learner replay_once(std::span<const Lesson> lessons, std::uint64_t seed);

// How many replays are averaged: what a model says depends on the order in which it
// learned, more than on any setting.
inline constexpr std::size_t kReplays = 4;

// The mean of the weights of kReplays replays in different orders; on all cores.
Weights replay(std::span<const Lesson> lessons, std::uint64_t seed = 0);

}  // namespace mxfeed::spam
