// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/store/breaker.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using std::chrono::milliseconds;

Breaker::Instant at(int ms) {
  return Breaker::Instant{milliseconds(ms)};
}

TEST_CASE("a breaker rests after as many faults in a row as it was told", "[store]") {
  Breaker breaker(3, milliseconds(1000));
  CHECK_FALSE(breaker.failed(at(0)));
  CHECK_FALSE(breaker.failed(at(1)));
  breaker.succeeded();
  CHECK_FALSE(breaker.failed(at(2)));
  CHECK_FALSE(breaker.failed(at(3)));
  CHECK(breaker.allows(at(3)));
  CHECK(breaker.failed(at(4)));
  CHECK_FALSE(breaker.allows(at(4)));
  CHECK_FALSE(breaker.allows(at(1003)));
  CHECK(breaker.allows(at(1004)));
}

TEST_CASE("after a rest one fault is enough, one success ends it", "[store]") {
  Breaker breaker(2, milliseconds(1000));
  breaker.failed(at(0));
  CHECK(breaker.failed(at(0)));
  CHECK(breaker.failed(at(1000)));
  CHECK_FALSE(breaker.allows(at(1500)));
  CHECK(breaker.allows(at(2000)));
  breaker.succeeded();
  CHECK_FALSE(breaker.failed(at(2001)));
  CHECK(breaker.allows(at(2001)));
}

}  // namespace
}  // namespace mxfeed
