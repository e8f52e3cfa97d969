// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/combiner_fit.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "milters/spam/model/numeric.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

double uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-53;
}

// Messages with the group in a half of them, and content from -5 to 5.  Their labels
// follow from the weights.
std::vector<Arrival> arrivals(std::size_t count, Group group, double sum,
                              const Combiner& truth, const char* domain = "") {
  std::mt19937_64 random(count);
  std::vector<Arrival> all;
  while (all.size() < count) {
    Arrival one;
    one.domain = domain;
    one.sums[Group::content] = 10 * uniform(random) - 5;
    if (random() % 2 == 0) one.sums[group] = sum;
    one.is_spam = uniform(random) < sigmoid(truth(one.sums));
    all.push_back(one);
  }
  return all;
}

Combiner with(double bias, double content, Group group, double weight) {
  Combiner truth;
  truth.bias = bias;
  truth.weights[Group::content] = content;
  truth.weights[group] = weight;
  return truth;
}

bool is_in_bounds(const Combiner& combiner) {
  const bool weights_are =
      std::all_of(std::begin(kGroups), std::end(kGroups), [&](Group group) {
        const double weight = combiner.weights[group];
        return weight >= kWeightBounds.least && weight <= kWeightBounds.most;
      });
  return weights_are && combiner.bias >= kBiasBounds.least &&
         combiner.bias <= kBiasBounds.most;
}

TEST_CASE("without enough of either class nothing changes, in no bit", "[spam]") {
  std::vector<Arrival> all =
      arrivals(5000, Group::html, 1.5, with(-1, 2, Group::html, 0));
  CHECK(fit_combiner({}) == Combiner{});
  for (const bool rare : {false, true}) {
    CAPTURE(rare);
    std::vector<Arrival> skewed;
    std::size_t count = 0;
    for (const Arrival& one : all) {
      if (one.is_spam != rare || ++count < kLeastArrivals) skewed.push_back(one);
    }
    CHECK(fit_combiner(skewed) == Combiner{});
    skewed.push_back({GroupValues{}, rare, ""});
    CHECK_FALSE(fit_combiner(skewed) == Combiner{});
  }
}

TEST_CASE("weights follow what the labels say", "[spam]") {
  struct {
    const char* name;
    double content;
    Group group;
    double weight;
    double least, most;  // what is learned for the group
  } const rows[] = {
      {"tells nothing here", 1, Group::html, 0, 0.1, 0.6},
      {"tells as much as was thought", 1, Group::html, 1, 0.7, 1.3},
      {"tells more", 1, Group::html, 1.9, 1.3, 2},
      {"never turns round", 1, Group::html, -2, 0.1, 0.1},
      {"signs of ham too", 1, Group::list, 0, 0.1, 0.8},
      {"a rule is not for labels to judge", 1, Group::rule, 0, 1, 1},
      {"neither is the test line", 1, Group::test, 0, 1, 1},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const double sum = row.group == Group::list ? -0.5 : 1.5;
    Combiner truth = with(-1, row.content, row.group, 0);
    std::vector<Arrival> all = arrivals(5000, row.group, sum, truth);
    std::mt19937_64 random(7);
    for (Arrival& one : all) {
      // Not by the combiner, whose caps would hold back the wrong sign.
      const double logit =
          -1 + row.content * one.sums[Group::content] + row.weight * one.sums[row.group];
      one.is_spam = uniform(random) < sigmoid(logit);
    }
    const Combiner learned = fit_combiner(all);
    CHECK(is_in_bounds(learned));
    CHECK(learned.weights[row.group] >= row.least);
    CHECK(learned.weights[row.group] <= row.most);
  }
}

TEST_CASE("content that is too bold or too timid is corrected", "[spam]") {
  for (const double slope : {0.5, 1.0, 1.6}) {
    CAPTURE(slope);
    const Combiner learned =
        fit_combiner(arrivals(5000, Group::html, 1, with(-1.5, slope, Group::html, 1)));
    CHECK(learned.weights[Group::content] == Catch::Approx(slope).margin(0.25));
  }
}

TEST_CASE("few labels change little", "[spam]") {
  const Combiner truth = with(-1, 2, Group::html, 0);
  double last = 0;
  for (const std::size_t count : {250, 1000, 5000}) {
    CAPTURE(count);
    const double change =
        1 - fit_combiner(arrivals(count, Group::html, 1.5, truth)).weights[Group::html];
    CHECK(change > last);
    last = change;
  }
  CHECK(last > 0.4);
}

TEST_CASE("users who report spam only do not make everything spam", "[spam]") {
  std::vector<Arrival> skewed;
  for (const Arrival& one :
       arrivals(6000, Group::html, 1, with(-1.5, 1, Group::html, 1))) {
    if (one.is_spam || skewed.size() % 10 == 0) skewed.push_back(one);
  }
  const Combiner learned = fit_combiner(skewed);
  CHECK(learned.bias < -1.2);
  CHECK(learned.bias > -2.8);
}

TEST_CASE("no labels take the weights beyond their bounds", "[spam]") {
  for (const double sum : {0.0, 1e-9, 7.0, -7.0}) {
    CAPTURE(sum);
    std::vector<Arrival> all;
    for (int i = 0; i < 4000; ++i) {
      all.push_back({GroupValues{i % 2 == 0 ? sum : -sum}, i % 2 == 0, "a.example"});
    }
    CHECK(is_in_bounds(fit_combiner(all)));
  }
}

// A customer whose labels are all wrong, and another one whose labels are right.
TEST_CASE("labels of one domain move another's level by a bounded amount", "[spam]") {
  const Combiner truth = with(-1.5, 1, Group::html, 1);
  const std::vector<Arrival> right =
      arrivals(600, Group::html, 1.5, truth, "right.example");
  std::vector<Arrival> all = right;
  for (Arrival one : arrivals(4400, Group::html, 1.5, truth, "wrong.example")) {
    one.is_spam = !one.is_spam;
    all.push_back(one);
  }
  const Combiner alone = fit_combiner(right);
  const Combiner both = fit_combiner(all);
  CHECK(is_in_bounds(both));
  // Not more than half of what is learned from is his.
  for (Arrival& one : all) one.domain = "";
  const Combiner drowned = fit_combiner(all);
  CHECK(std::abs(both.weights[Group::content] - alone.weights[Group::content]) <
        std::abs(drowned.weights[Group::content] - alone.weights[Group::content]));
  CHECK(drowned.weights[Group::content] == kWeightBounds.least);
  // Whatever is learned, sure content stays on its side of "low", and none reaches high
  // by the bias.
  GroupValues sure;
  sure[Group::content] = 7;
  CHECK(both(sure) > both(GroupValues{}));
  CHECK(sigmoid(both(GroupValues{})) < 0.5);
}

TEST_CASE("a domain counts in full while hardly anybody else labels", "[spam]") {
  const Combiner truth = with(-1, 2, Group::html, 0);
  std::vector<Arrival> all = arrivals(3000, Group::html, 1.5, truth, "a.example");
  const Combiner alone = fit_combiner(all);
  all.push_back({GroupValues{}, false, "b.example"});
  const Combiner both = fit_combiner(all);
  CHECK(both.weights[Group::html] ==
        Catch::Approx(alone.weights[Group::html]).margin(0.02));
}

}  // namespace
}  // namespace mxfeed::spam
