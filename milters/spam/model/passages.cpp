// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/passages.h"

#include <array>
#include <utility>

namespace mxfeed::spam {
namespace {

// Places that are remembered: by the lower bits of the bucket, the last one each.  What
// is forgotten counts twice in a passage.
constexpr std::size_t kRemembered = std::size_t{1} << 12;

}  // namespace

Passages::Passages(Features common, std::string_view text) : common_(std::move(common)) {
  const Features buckets = buckets_of(text);
  places_.reserve(buckets.size());
  std::array<Place, kRemembered> seen{};
  for (const std::uint32_t bucket : buckets) {
    Place& last = seen[bucket % kRemembered];
    const bool is_known = last.before > 0 && last.bucket == bucket;
    places_.push_back({bucket, is_known ? last.before : 0});
    last = {bucket, static_cast<std::uint32_t>(places_.size())};
  }
}

}  // namespace mxfeed::spam
