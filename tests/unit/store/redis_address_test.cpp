// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/store/redis_address.h"

#include <string>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("an address is a unix socket, or an IP address and a port", "[redis]") {
  for (const std::string text :
       {"unix:/run/redis/redis.sock", "192.0.2.7:6379", "[2001:db8::7]:26379"}) {
    INFO(text);
    const auto address = RedisAddress::parse(text);
    REQUIRE(address);
    CHECK(address->str() == text);
  }
  CHECK(RedisAddress::parse("unix:/run/a")->is_unix());
  CHECK(RedisAddress::parse("[::1]:1")->host() == "::1");
  CHECK(RedisAddress::parse("[::1]:1")->port() == 1);
  CHECK(RedisAddress::of("::1", 1) == RedisAddress::parse("[::1]:1"));
}

TEST_CASE("what is no address is not taken", "[redis]") {
  for (const std::string text :
       {"", ":", "redis.example:6379", "192.0.2.7", "192.0.2.7:", "192.0.2.7:0",
        "192.0.2.7:65536", "192.0.2.7:-1", "[192.0.2.7]:6379", "2001:db8::7:6379",
        "[2001:db8::7]6379", "unix:", "unix:relative", "unix:redis.sock"}) {
    INFO(text);
    CHECK_FALSE(RedisAddress::parse(text));
  }
  CHECK_FALSE(RedisAddress::parse("unix:/" + std::string(107, 'a')));
  CHECK_FALSE(RedisAddress::parse(std::string("unix:/a\0b", 9)));
  CHECK_FALSE(RedisAddress::of(std::string("127.0.0.1\0", 10), 1));
  CHECK_FALSE(RedisAddress::of("", 1));
}

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
