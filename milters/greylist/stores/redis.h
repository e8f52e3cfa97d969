// SPDX-License-Identifier: GPL-2.0-or-later
//
// The store in Redis.

#pragma once

#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/store/redis.h"
#include "milters/greylist/stores/store.h"

namespace mxfeed::greylist {

// Connects when it is used.  All keys begin with the prefix.
std::unique_ptr<Store> open_redis_store(RedisOptions options, std::string prefix,
                                        Clock clock = system_time);

// each() throws Fault for a cluster: its nodes would have to be asked one by one.
std::unique_ptr<StoreView> view_redis_store(RedisOptions options, std::string prefix);

}  // namespace mxfeed::greylist
