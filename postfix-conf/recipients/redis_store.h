// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is known of recipients in a Redis that gateways share.  A decision asks for the
// keys of one slot, in one round trip; what expires, Redis removes.
//
// Metrics: mxfeed_recipients_redis_damaged_total.

#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/store/redis.h"
#include "postfix-conf/recipients/store.h"

namespace mxfeed::recipients {

struct RedisStoreOptions {
  RedisOptions redis;
  std::string prefix;  // of all keys; has no braces
  Clock clock = system_time;
  std::chrono::milliseconds budget{150};  // of each call
};

// Connects when it is used.  Its calls throw Fault after the budget, or at once while
// Redis is left alone (Redis).  sweep() removes nothing: it throws if scripts do not run
// or may not write.
std::unique_ptr<Store> open_redis_store(RedisStoreOptions options);

}  // namespace mxfeed::recipients
