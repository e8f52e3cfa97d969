// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/commands/opened_store.h"

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/command/owner.h"
#include "common/program/redis_options.h"
#include "milters/greylist/stores/redis.h"

namespace mxfeed::greylist {
namespace {

std::optional<RedisOptions> redis_of(const GatewayPolicy& gateway) {
  if (gateway.greylist.store != kRedisStore) return std::nullopt;
  return redis_options(gateway.redis);
}

}  // namespace

void with_store(const Arguments& arguments, const GatewayPolicy& gateway,
                const std::function<void(StoreView&)>& work) {
  become_daemon(arguments.state(), "greylist");
  try {
    const auto redis = redis_of(gateway);
    work(redis ? *view_redis_store(*redis, gateway.redis.prefix)
               : *view_store(gateway.greylist.store, arguments.state() / "greylist"));
  } catch (const Fault& fault) {
    throw CommandError(ExitCode::try_later, escape_untrusted(fault.what()));
  }
}

void with_writable_store(const Arguments& arguments, const GatewayPolicy& gateway,
                         const std::function<void(Store&)>& work) {
  become_daemon(arguments.state(), "greylist");
  try {
    const auto redis = redis_of(gateway);
    work(redis ? *open_redis_store(*redis, gateway.redis.prefix)
               : *open_store(gateway.greylist.store, arguments.state() / "greylist"));
  } catch (const Fault& fault) {
    throw CommandError(ExitCode::try_later, escape_untrusted(fault.what()));
  }
}

std::string_view state_of(About about) {
  switch (about) {
    case About::identity:
      return "identity";
    case About::passed:
      return "passed";
    case About::waiting:
      return "waiting";
    case About::host:
      return "host";
    case About::provider:
      return "provider";
  }
  return "?";
}

}  // namespace mxfeed::greylist
