// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/combiner.h"

#include <limits>

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

GroupValues sums_of(Group group, double sum) {
  GroupValues sums;
  sums[group] = sum;
  return sums;
}

TEST_CASE("as it is shipped, every sum counts once", "[spam]") {
  const Combiner shipped;
  CHECK(shipped(GroupValues{}) == kBias);
  for (const Group group : kGroups) {
    CAPTURE(to_string(group));
    for (const double sum : {cap_of(group).most, cap_of(group).least}) {
      CHECK(shipped(sums_of(group, sum)) == kBias + sum);
    }
  }
}

TEST_CASE("a weight never takes a group beyond its cap", "[spam]") {
  Combiner heavy;
  heavy.weights = GroupValues{kWeightBounds.most};
  for (const Group group : kGroups) {
    CAPTURE(to_string(group));
    const Cap cap = cap_of(group);
    CHECK(heavy.part(group, cap.most) == cap.most);
    CHECK(heavy.part(group, cap.least) == cap.least);
    CHECK(heavy.part(group, cap.most / 4) == cap.most / 2);
  }
}

TEST_CASE("a combiner is read as it was written", "[spam]") {
  Combiner written;
  written.bias = -1.75;
  written.weights[Group::html] = 0.1;
  written.weights[Group::content] = 1.0 / 3;
  const auto read = Combiner::from_bytes(written.bytes());
  REQUIRE(read);
  CHECK(*read == written);
  CHECK(Combiner::from_bytes("") == Combiner{});
}

TEST_CASE("groups of other versions do not matter", "[spam]") {
  Combiner written;
  written.weights[Group::url] = 0.5;
  std::string bytes = written.bytes();
  const std::size_t at = bytes.find("html");
  REQUIRE(at != std::string::npos);
  bytes.replace(at, 4, "news");
  const auto read = Combiner::from_bytes(bytes);
  REQUIRE(read);
  CHECK(*read == written);
}

TEST_CASE("a damaged combiner is refused", "[spam]") {
  const std::string bytes = Combiner{}.bytes();
  for (std::size_t size = 1; size < 9; ++size) {
    CAPTURE(size);
    CHECK_FALSE(Combiner::from_bytes(bytes.substr(0, size)));
  }
  for (const double value : {kWeightBounds.least / 2, kWeightBounds.most * 2, -1.0,
                             std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()}) {
    CAPTURE(value);
    Combiner wild;
    wild.weights[Group::url] = value;
    CHECK_FALSE(Combiner::from_bytes(wild.bytes()));
  }
  for (const double bias : {kBiasBounds.least - 1, 0.0}) {
    Combiner wild;
    wild.bias = bias;
    CHECK_FALSE(Combiner::from_bytes(wild.bytes()));
  }
}

}  // namespace
}  // namespace mxfeed::spam
