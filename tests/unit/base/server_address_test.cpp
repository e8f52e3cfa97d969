// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/server_address.h"

#include <string>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("an address is a unix socket, or an IP address and a port", "[base]") {
  for (const std::string text :
       {"unix:/run/redis/redis.sock", "192.0.2.7:6379", "[2001:db8::7]:26379"}) {
    INFO(text);
    const auto address = ServerAddress::parse(text);
    REQUIRE(address);
    CHECK(address->str() == text);
  }
  CHECK(ServerAddress::parse("unix:/run/a")->is_unix());
  CHECK(ServerAddress::parse("[::1]:1")->host() == "::1");
  CHECK(ServerAddress::parse("[::1]:1")->port() == 1);
  CHECK(ServerAddress::of("::1", 1) == ServerAddress::parse("[::1]:1"));
}

TEST_CASE("what is no address is not taken", "[base]") {
  for (const std::string text :
       {"", ":", "redis.example:6379", "192.0.2.7", "192.0.2.7:", "192.0.2.7:0",
        "192.0.2.7:65536", "192.0.2.7:-1", "[192.0.2.7]:6379", "2001:db8::7:6379",
        "[2001:db8::7]6379", "unix:", "unix:relative", "unix:redis.sock"}) {
    INFO(text);
    CHECK_FALSE(ServerAddress::parse(text));
  }
  CHECK_FALSE(ServerAddress::parse("unix:/" + std::string(107, 'a')));
  CHECK_FALSE(ServerAddress::parse(std::string("unix:/a\0b", 9)));
  CHECK_FALSE(ServerAddress::of(std::string("127.0.0.1\0", 10), 1));
  CHECK_FALSE(ServerAddress::of("", 1));
}

}  // namespace
}  // namespace mxfeed
