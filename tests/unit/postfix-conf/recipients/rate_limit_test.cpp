// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/rate_limit.h"

#include "tests/support/catch.h"

namespace mxfeed::recipients {
namespace {

using std::chrono::milliseconds;

TEST_CASE("a burst is taken at once, then so many a second", "[rate_limit]") {
  const RateLimit::Instant now{};
  RateLimit limit(3, 2, now);
  CHECK(limit.is_idle(now));
  for (int i = 0; i < 3; ++i) CHECK(limit.take(now));
  CHECK_FALSE(limit.take(now));
  CHECK_FALSE(limit.take(now + milliseconds(499)));
  CHECK(limit.take(now + milliseconds(500)));
  CHECK_FALSE(limit.take(now + milliseconds(500)));
  CHECK_FALSE(limit.is_idle(now + milliseconds(1999)));
  CHECK(limit.is_idle(now + milliseconds(2000)));
}

TEST_CASE("waiting long does not save up more than a burst", "[rate_limit]") {
  const RateLimit::Instant now{};
  RateLimit limit(2, 100, now);
  const auto later = now + std::chrono::hours(1);
  CHECK(limit.take(later));
  CHECK(limit.take(later));
  CHECK_FALSE(limit.take(later));
}

}  // namespace
}  // namespace mxfeed::recipients
