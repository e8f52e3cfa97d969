// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/program/redis_options.h"

#include "common/base/text.h"

namespace mxfeed {
namespace {

RedisKind kind_of(RedisType type) {
  switch (type) {
    case RedisType::single:
      return RedisKind::single;
    case RedisType::sentinel:
      return RedisKind::sentinel;
    case RedisType::cluster:
      break;
  }
  return RedisKind::cluster;
}

}  // namespace

std::optional<RedisOptions> redis_options(const GatewayPolicy::Redis& redis) {
  if (redis.servers.empty()) return std::nullopt;
  RedisOptions options;
  options.kind = kind_of(redis.type);
  for (const auto& text : redis.servers) {
    const auto address = RedisAddress::parse(text);
    if (!address) throw Fault("use Redis", escape_untrusted(text), "is no address");
    options.servers.push_back(*address);
  }
  options.master = redis.master;
  options.login = {redis.user, redis.password_file};
  return options;
}

}  // namespace mxfeed
