// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/program/redis_options.h"

#include "common/base/fault.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("without servers there is no Redis", "[redis_options]") {
  CHECK_FALSE(redis_options({}).has_value());
}

TEST_CASE("the client gets what the policy says", "[redis_options]") {
  GatewayPolicy::Redis redis;
  redis.servers = {"192.0.2.7:6379", "unix:/run/redis/redis.sock"};
  redis.master = "mymaster";
  redis.user = "mxfeed";
  redis.password_file = "/etc/mxfeed/redis.password";
  struct {
    RedisType type;
    RedisKind kind;
  } const cases[] = {{RedisType::single, RedisKind::single},
                     {RedisType::sentinel, RedisKind::sentinel},
                     {RedisType::cluster, RedisKind::cluster}};
  for (const auto& c : cases) {
    redis.type = c.type;
    const auto options = redis_options(redis);
    REQUIRE(options.has_value());
    CHECK(options->kind == c.kind);
    REQUIRE(options->servers.size() == 2);
    CHECK(options->servers[0].str() == "192.0.2.7:6379");
    CHECK(options->servers[1].is_unix());
    CHECK(options->master == "mymaster");
    CHECK(options->login.user == "mxfeed");
    CHECK(options->login.password_file == "/etc/mxfeed/redis.password");
  }
}

TEST_CASE("a server that is no address is a fault", "[redis_options]") {
  GatewayPolicy::Redis redis;
  redis.servers = {"redis.isp.example:6379"};
  CHECK_THROWS_AS(redis_options(redis), Fault);
}

}  // namespace
}  // namespace mxfeed
