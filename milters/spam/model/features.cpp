// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/features.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace mxfeed::spam {
namespace {

constexpr std::size_t kGram = 5;
constexpr std::uint64_t kGramMask = (std::uint64_t{1} << (8 * kGram)) - 1;
static_assert(kBucketBits % 2 == 0);
// The golden ratio times 2^64, made odd: the upper bits of the product are well mixed
// (Knuth, The Art of Computer Programming 3, 6.4).
constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;

// Sorts numbers below kBuckets by their lower, then by their upper half; for a few
// thousand this takes a fraction of the time of std::sort.
void sort_buckets(Features& buckets) {
  constexpr unsigned kHalf = kBucketBits / 2;
  Features other(buckets.size());
  for (const unsigned shift : {0U, kHalf}) {
    std::array<std::uint32_t, std::size_t{1} << kHalf> place{};
    const auto digit = [&](std::uint32_t bucket) {
      return bucket >> shift & (place.size() - 1);
    };
    for (const std::uint32_t bucket : buckets) ++place[digit(bucket)];
    std::exclusive_scan(place.begin(), place.end(), place.begin(), 0U);
    for (const std::uint32_t bucket : buckets) other[place[digit(bucket)]++] = bucket;
    buckets.swap(other);
  }
}

}  // namespace

Features buckets_of(std::string_view text) {
  if (text.size() < kGram) return {};
  Features buckets(text.size() - kGram + 1);
  std::uint64_t gram = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    gram = (gram << 8 | static_cast<unsigned char>(text[at])) & kGramMask;
    if (at + 1 < kGram) continue;
    buckets[at + 1 - kGram] =
        static_cast<std::uint32_t>(gram * kMultiplier >> (64 - kBucketBits));
  }
  return buckets;
}

Features features_of(std::string_view view) {
  Features features = buckets_of(view.substr(0, kMostFeatures + kGram - 1));
  sort_buckets(features);
  features.erase(std::unique(features.begin(), features.end()), features.end());
  // Many are kept for learning.
  features.shrink_to_fit();
  return features;
}

}  // namespace mxfeed::spam
