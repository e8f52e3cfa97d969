// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/score.h"

#include <algorithm>
#include <iterator>

#include "milters/spam/evidence/table.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

using Found = std::vector<Evidence>;

TEST_CASE("groups are bounded and add up", "[spam]") {
  const auto logit = [](const Found& findings) { return score(findings).logit; };
  CHECK(score({}).probability < 0.2);
  CHECK(logit({}) == Catch::Approx(kBias));
  CHECK(logit({{"a", Group::url, 0.5}, {"b", Group::url, 0.75}}) ==
        Catch::Approx(kBias + 1.25));
  CHECK(logit({{"a", Group::url, 1}, {"b", Group::url, 1}}) ==
        Catch::Approx(kBias + 1.5));
  CHECK(logit({{"a", Group::author, 9}, {"b", Group::html, 9}, {"c", Group::url, 9}}) ==
        Catch::Approx(kBias + 3.9));
  CHECK(logit({{"a", Group::list, -9}}) == Catch::Approx(kBias - 0.5));
}

SpamLevel most_alone(const Evidence& found) {
  if (found.proven) return SpamLevel::high;
  return found.alone == Alone::med ? SpamLevel::med : SpamLevel::none;
}

TEST_CASE("what was learned counts, and levels keep their conditions", "[spam]") {
  Combiner learned;
  learned.bias = kBiasBounds.most;
  learned.weights = GroupValues{kWeightBounds.most};
  const Found weak = {{"a", Group::url, 0.5}, {"b", Group::html, 0.5}};
  CHECK(score(weak, learned).logit == Catch::Approx(kBiasBounds.most + 2));
  for (const Evidence& found : kEvidence) {
    CAPTURE(found.slug);
    const SpamLevel alone = level(score(Found{found}, learned), SpamPolicy{});
    CHECK(alone == most_alone(found));
  }
}

// A list of domains is right so often that it makes spam probable; a level needs another
// group all the same.  A name that the domain protects is its own wish.
bool makes_probable(Group group) {
  return group == Group::domain_lists || group == Group::impersonation;
}

TEST_CASE("but for protected names no find reaches a level, nor does a group", "[spam]") {
  SpamPolicy lowest;
  lowest.begins = {0.001, 0.002, 0.003};
  for (const Evidence& found : kEvidence) {
    CAPTURE(found.slug);
    const Score alone = score(Found{found});
    for (const SpamPolicy& policy : {SpamPolicy{}, lowest}) {
      CHECK(level(alone, policy) == most_alone(found));
    }
    if (!found.proven && !makes_probable(found.group)) {
      CHECK(alone.probability < SpamPolicy{}.begins[0]);
    }
  }
  for (const Group group : kGroups) {
    CAPTURE(to_string(group));
    Found all;
    for (const Evidence& found : kEvidence) {
      if (found.group == group && !found.proven) all.push_back(found);
    }
    if (!makes_probable(group)) {
      CHECK(score(all).probability < SpamPolicy{}.begins[0]);
    }
    CHECK(level(score(all), lowest) ==
          (group == Group::impersonation ? SpamLevel::med : SpamLevel::none));
  }
}

TEST_CASE("content reaches by itself the level that it has earned", "[spam]") {
  struct {
    const char* name;
    Found findings;
    SpamLevel level;
  } const rows[] = {
      {"immature", {{"content", Group::content, 7, false, Alone::med}}, SpamLevel::med},
      {"mature", {{"content", Group::content, 7, false, Alone::high}}, SpamLevel::high},
      {"mature, but not sure",
       {{"content", Group::content, 3, false, Alone::high}},
       SpamLevel::low},
      {"it takes no other evidence with it",
       {{"content", Group::content, -3, false, Alone::high},
        {"x", Group::test, 20, false}},
       SpamLevel::none},
      {"immature, and another group agrees",
       {{"content", Group::content, 7, false, Alone::med}, {"x", Group::html, 1, false}},
       SpamLevel::high},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(level(score(row.findings), SpamPolicy{}) == row.level);
  }
  CHECK(score(Found{{"content", Group::content, 50, false, Alone::high}}).logit ==
        Catch::Approx(kBias + 7));
}

TEST_CASE("high needs a second group that adds enough", "[spam]") {
  const auto with_content = [](double logit) {
    return level(
        score(Found{{"engine", Group::engine, 7}, {"content", Group::content, logit}}),
        SpamPolicy{});
  };
  CHECK(with_content(0.01) == SpamLevel::med);
  CHECK(with_content(kLeastAgreement - 0.01) == SpamLevel::med);
  CHECK(with_content(kLeastAgreement) == SpamLevel::high);
}

TEST_CASE("a group agrees if it adds enough, as it counts here", "[spam]") {
  struct {
    const char* name;
    double sum, weight;
    unsigned agreeing;
  } const rows[] = {
      {"nothing", 0, 1, 0},
      {"one below the least", kLeastAgreement - 0.01, 1, 0},
      {"the least", kLeastAgreement, 1, 1},
      {"local labels have shown that it means little", 1.5, 0.1, 0},
      {"local labels have shown that it means more", 0.15, 2, 1},
      {"it speaks for ham", -1, 1, 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    GroupValues sums;
    sums[Group::html] = row.sum;
    Combiner combiner;
    combiner.weights[Group::html] = row.weight;
    CHECK(agreeing_groups(sums, combiner) == row.agreeing);
  }
}

TEST_CASE("every piece of evidence is enough to agree, as it is shipped", "[spam]") {
  for (const Evidence& found : kEvidence) {
    CAPTURE(found.slug);
    CHECK((found.logit <= 0 || found.logit >= kLeastAgreement));
  }
}

TEST_CASE("the slugs of all evidence differ", "[spam]") {
  for (const Evidence& one : kEvidence) {
    CAPTURE(one.slug);
    CHECK(std::count_if(std::begin(kEvidence), std::end(kEvidence),
                        [&](const Evidence& row) { return row.slug == one.slug; }) == 1);
  }
}

TEST_CASE("levels follow the policy's thresholds", "[spam]") {
  const SpamPolicy policy;
  struct {
    const char* name;
    Score score;
    SpamLevel level;
  } const rows[] = {
      {"below low", {0, 0.499, false, 2, 2}, SpamLevel::none},
      {"low", {0, 0.5, false, 2, 0}, SpamLevel::low},
      {"med", {0, 0.9, false, 2, 0}, SpamLevel::med},
      {"high", {0, 0.99, false, 2, 2}, SpamLevel::high},
      {"a second group that says little is not enough for high",
       {0, 0.99, false, 2, 1},
       SpamLevel::med},
      {"one group is not enough", {0, 0.999, false, 1, 1}, SpamLevel::none},
      {"proven", {0, 0.1, true, 1, 1}, SpamLevel::high},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(level(row.score, policy) == row.level);
  }
  CHECK(level(score(Found{evidence("gtube")}), policy) == SpamLevel::high);
}

}  // namespace
}  // namespace mxfeed::spam
