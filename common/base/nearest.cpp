// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/nearest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kLongest = 80;

// How many letters are changed, added, left out or swapped with a neighbour.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    next[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      next[j + 1] =
          std::min({row[j] + (a[i] == b[j] ? 0 : 1), next[j] + 1, row[j + 1] + 1});
      if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j]) {
        next[j + 1] = std::min(next[j + 1], before[j - 1] + 1);
      }
    }
    before.swap(row);
    row.swap(next);
  }
  return row.back();
}

}  // namespace

std::string_view nearest(std::string_view given,
                         const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t least = std::max<std::size_t>(1, given.size() / 3) + 1;
  if (given.size() > kLongest) return best;
  for (const auto candidate : candidates) {
    const auto distance = edit_distance(ascii_lower(given), candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace mxfeed
