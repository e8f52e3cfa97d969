// SPDX-License-Identifier: GPL-2.0-or-later
//
// The text of a message in passages, each of which is judged as if it were all of it.
// Whoever puts harmless text beside spam deceives the judgement of the whole message, but
// not that of the passage where the spam is.  Pure.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "milters/spam/model/features.h"

namespace mxfeed::spam {

// Of one passage, in bytes; they begin at half this distance, so that what is divided by
// one is whole in another.
inline constexpr std::size_t kPassageBytes = 512;

class Passages {
 public:
  Passages() = default;
  // `common`: the features of everything but the text, which each passage has.
  Passages(Features common, std::string_view text);

  // The highest log-odds of a passage; `weight_of` gives the weight of a bucket.
  template <typename WeightOf>
  double strongest(const WeightOf& weight_of) const {
    double common = 0;
    for (const std::uint32_t bucket : common_) common += weight_of(bucket);
    double most = -kNoPassage;
    std::size_t begin = 0;
    do {
      const std::size_t end = std::min(begin + kPassageBytes, places_.size());
      double sum = common;
      std::size_t count = common_.size();
      for (std::size_t i = begin; i < end; ++i) {
        if (places_[i].before > begin) continue;
        sum += weight_of(places_[i].bucket);
        ++count;
      }
      if (count > 0) most = std::max(most, sum / std::sqrt(static_cast<double>(count)));
      begin += kPassageBytes / 2;
    } while (begin + kPassageBytes / 2 < places_.size());
    return most == -kNoPassage ? 0 : most;
  }

 private:
  static constexpr double kNoPassage = 1e9;
  // A sequence of bytes of the text.
  struct Place {
    std::uint32_t bucket;
    std::uint32_t before;  // where it was seen before, counted from 1; 0 if it was not
  };
  Features common_;
  std::vector<Place> places_;
};

}  // namespace mxfeed::spam
