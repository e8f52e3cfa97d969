// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the content model knows of a message: which sequences of five bytes are in its
// view.  Pure.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mxfeed::spam {

// The view and the hash together.  Features of different versions do not mix: whoever
// changes either of them counts up.
inline constexpr unsigned kFeatureVersion = 1;

inline constexpr unsigned kBucketBits = 20;
inline constexpr std::size_t kBuckets = std::size_t{1} << kBucketBits;

// Numbers of buckets, each once, in rising order.
using Features = std::vector<std::uint32_t>;

// The most that features_of() gives for a view.
inline constexpr std::size_t kMostFeatures = std::size_t{8} * 1024;

// Those of all sequences, in their order.
Features buckets_of(std::string_view text);

// Takes the first kMostFeatures sequences.
Features features_of(std::string_view view);

}  // namespace mxfeed::spam
