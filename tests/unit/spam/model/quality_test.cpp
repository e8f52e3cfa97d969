// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/quality.h"

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

TEST_CASE("misranked pairs are counted, ties by half", "[spam]") {
  CHECK(misranked({}) == 0);
  CHECK(misranked({{1, true}}) == 0);
  CHECK(misranked({{1, true}, {0, false}}) == 0);
  CHECK(misranked({{0, true}, {1, false}}) == 100);
  CHECK(misranked({{1, true}, {1, false}}) == 50);
  CHECK(misranked({{3, true}, {1, true}, {2, false}, {0, false}}) == 25);
}

TEST_CASE("hits are counted above the false alarms that are allowed", "[spam]") {
  std::vector<Judged> all;
  for (int i = 0; i < 1000; ++i) all.push_back({i / 1000.0, false});
  all.insert(all.end(), {{2, true}, {0.9985, true}, {0.9975, true}, {-1, true}});
  CHECK(hits_at(all, 0) == 25);
  CHECK(hits_at(all, 0.001) == 50);
  CHECK(hits_at(all, 0.002) == 75);
  CHECK(hits_at(all, 1) == 100);
  CHECK(hits_at({}, 0.001) == 0);
}

TEST_CASE("a probability is reached from exactly there on", "[spam]") {
  const std::vector<Judged> all = {{0, true}, {-0.1, true}, {5, false}};
  CHECK(count_from(all, true, 0.5) == 1);
  CHECK(count_from(all, false, 0.99) == 1);
}

}  // namespace
}  // namespace mxfeed::spam
