// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/maturity.h"

#include <algorithm>

#include "milters/spam/model/model.h"
#include "milters/spam/model/numeric.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

Reliability reliability(std::uint64_t ham_below, std::uint64_t ham_high,
                        std::uint64_t spam_high) {
  Reliability made;
  made.rows()[0].ham = ham_below;
  made.rows()[3] = {ham_high, spam_high};
  return made;
}

TEST_CASE("268 without an error prove 99 %", "[spam]") {
  CHECK(wilson_bound(268, 268) >= 0.99);
  CHECK(wilson_bound(267, 267) < 0.99);
  CHECK(wilson_bound(0, 0) == 0);
  CHECK(wilson_bound(0, 10) == 0);
  CHECK(wilson_bound(50, 100) == Catch::Approx(0.4190).margin(0.001));
}

TEST_CASE("high needs proof on spam and on ham, and loses it by errors", "[spam]") {
  struct {
    const char* name;
    std::uint64_t ham_below, ham_high, spam_high;
    bool may;
  } const rows[] = {
      {"nothing", 0, 0, 0, false},
      {"268 of each", 268, 0, 268, true},
      {"one spam too few", 268, 0, 267, false},
      {"one ham too few", 267, 0, 268, false},
      {"thousands of spam say nothing of ham", 0, 0, 5000, false},
      {"one error in 269", 268, 1, 268, false},
      {"one error in 1000", 1000, 1, 1000, true},
      {"demoted by errors", 1000, 20, 1000, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(may_say_high(reliability(row.ham_below, row.ham_high, row.spam_high)) ==
          row.may);
  }
}

TEST_CASE("a prediction counts for the level in which it was", "[spam]") {
  struct {
    double probability;
    std::size_t level;
  } const rows[] = {{0, 0},   {0.499, 0},  {0.5, 1},  {0.899, 1},
                    {0.9, 2}, {0.9899, 2}, {0.99, 3}, {1, 3}};
  for (const auto& row : rows) {
    CAPTURE(row.probability);
    Reliability table;
    table.add(row.probability, true);
    table.add(row.probability, false);
    CHECK(table.rows().at(row.level) == Reliability::Row{1, 1});
  }
}

TEST_CASE("the model abstains below 100 of either class and ramps up to 300", "[spam]") {
  struct {
    Counts counts;
    double weight;
  } const rows[] = {{{0, 0}, 0},     {{99, 5000}, 0},      {{5000, 99}, 0},
                    {{100, 100}, 0}, {{101, 5000}, 0.005}, {{200, 300}, 0.5},
                    {{300, 300}, 1}, {{9000, 9000}, 1}};
  for (const auto& row : rows) {
    CAPTURE(row.counts.ham, row.counts.spam);
    CHECK(ramp(row.counts) == Catch::Approx(row.weight));
    ModelFacts facts;
    facts.counts = row.counts;
    CHECK(opinion(facts, 5).has_value() == (row.weight > 0));
    if (row.weight > 0) CHECK(opinion(facts, 2)->logit == Catch::Approx(2 * row.weight));
  }
}

TEST_CASE("an opinion is bounded, more so before the model has proved itself", "[spam]") {
  ModelFacts facts;
  facts.counts = {1000, 1000};
  for (const double sign : {1.0, -1.0}) {
    CHECK(opinion(facts, sign * 50)->logit == sign * kMostImmature);
    CHECK_FALSE(opinion(facts, sign * 50)->is_mature);
  }
  facts.reliability = reliability(1000, 0, 1000);
  CHECK(opinion(facts, 50)->logit == cap_of(Group::content).most);
  CHECK(opinion(facts, 50)->is_mature);
}

TEST_CASE("content that has not proved itself is not high, whatever is learned",
          "[spam]") {
  ModelFacts facts;
  facts.counts = {1000, 1000};
  for (const double weight : {kWeightBounds.least, 1.0, kWeightBounds.most}) {
    CAPTURE(weight);
    facts.combiner.bias = kBiasBounds.most;
    facts.combiner.weights[Group::content] = weight;
    GroupValues sums;
    sums[Group::content] =
        std::min(opinion(facts, 50)->logit, cap_of(Group::content).most);
    CHECK(sigmoid(facts.combiner(sums)) < kLevelsBegin.back());
  }
}

}  // namespace
}  // namespace mxfeed::spam
