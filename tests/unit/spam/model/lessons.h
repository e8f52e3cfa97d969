// SPDX-License-Identifier: GPL-2.0-or-later
//
// Made-up messages of two kinds, for the tests of the model.

#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "milters/spam/model/trainer.h"

namespace mxfeed::spam {

inline SampleId id_of_number(std::uint32_t number) {
  SampleId id{};
  for (std::size_t i = 0; i < 4; ++i) {
    id.at(i) = static_cast<std::uint8_t>(number * 2654435761u >> (8 * i));
  }
  id.back() = static_cast<std::uint8_t>(number);
  id.at(14) = static_cast<std::uint8_t>(number >> 8);
  return id;
}

// 40 features, of which half are typical of the class and half are anybody's.
inline Sample made_sample(std::uint32_t number, Label label) {
  std::minstd_rand random(number * 2 + 1);
  std::set<std::uint32_t> features;
  while (features.size() < 40) {
    const auto place = static_cast<std::uint32_t>(random() % 200);
    const bool typical = features.size() % 2 == 0;
    features.insert(!typical               ? 1000 + place
                    : label == Label::spam ? 100'000 + place
                                           : 500'000 + place);
  }
  return {id_of_number(number), {{features.begin(), features.end()}, {}}, {}};
}

inline Label label_of(std::uint32_t number) {
  return number % 3 == 0 ? Label::spam : Label::ham;
}

}  // namespace mxfeed::spam
