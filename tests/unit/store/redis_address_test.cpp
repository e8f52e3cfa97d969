// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/store/redis_address.h"

#include <string>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("the slot is that of the tag, or of the whole key", "[redis]") {
  // Redis cluster specification, appendix A and "Hash tags"; redis-cli CLUSTER KEYSLOT.
  CHECK(redis_slot("123456789") == 0x31C3);
  CHECK(redis_slot("") == 0);
  CHECK(redis_slot("{user1000}.following") == redis_slot("user1000"));
  CHECK(redis_slot("foo{{bar}}zap") == redis_slot("{bar"));
  CHECK(redis_slot("foo{bar}{zap}") == redis_slot("bar"));
  CHECK(redis_slot("foo{}{bar}") != redis_slot("bar"));
  CHECK(redis_slot("foo{bar") != redis_slot("bar"));
}

}  // namespace
}  // namespace mxfeed
