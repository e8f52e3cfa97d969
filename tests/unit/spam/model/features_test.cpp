// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/features.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

// Whoever changes these numbers changes kFeatureVersion too.
TEST_CASE("the features of a text never change within a version", "[spam]") {
  CHECK(kFeatureVersion == 1);
  CHECK(features_of("abcdef") == Features{426483, 984379});
}

TEST_CASE("features are the distinct sequences of five bytes", "[spam]") {
  struct {
    const char* text;
    std::size_t count;
  } const rows[] = {
      {"", 0}, {"abcd", 0}, {"abcde", 1}, {"aaaaaaaaaa", 1}, {"abcdeabcde", 5}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(features_of(row.text).size() == row.count);
  }
}

TEST_CASE("features are in rising order, and their number is bounded", "[spam]") {
  std::string text;
  for (std::uint32_t i = 1; text.size() < 20'000; i = i * 1664525 + 1013904223) {
    text += static_cast<char>(i >> 24);
  }
  const Features features = features_of(text);
  CHECK(features.size() <= kMostFeatures);
  CHECK(features.size() > kMostFeatures - 200);
  CHECK(std::is_sorted(features.begin(), features.end()));
  CHECK(std::adjacent_find(features.begin(), features.end()) == features.end());
  CHECK(features.back() < kBuckets);
}

TEST_CASE("a text is as near to another as it has sequences in common", "[spam]") {
  const Features one = features_of("Dear customer, your order has been sent.");
  const Features other = features_of("Dear customer, your order has been paid.");
  Features common;
  std::set_intersection(one.begin(), one.end(), other.begin(), other.end(),
                        std::back_inserter(common));
  CHECK(common.size() >= one.size() - 9);
  CHECK(common.size() < one.size());
}

}  // namespace
}  // namespace mxfeed::spam
