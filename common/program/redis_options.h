// SPDX-License-Identifier: GPL-2.0-or-later
//
// [redis] of the configuration as the client takes it.
//
// A library of its own: not every daemon uses Redis.

#pragma once

#include <optional>

#include "common/policy/domain_policy.h"
#include "common/store/redis.h"

namespace mxfeed {

// Nothing if no Redis is configured.  Throws Fault if the policy is damaged.
std::optional<RedisOptions> redis_options(const GatewayPolicy::Redis& redis);

}  // namespace mxfeed
