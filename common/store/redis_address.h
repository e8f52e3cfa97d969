// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where a Redis server listens, and which slot of a cluster a key is in.  Pure.

#pragma once

#include <string_view>

#include "common/base/server_address.h"

namespace mxfeed {

using RedisAddress = ServerAddress;

inline constexpr unsigned kRedisSlots = 16384;

// The hash slot (Redis cluster specification): of what is between the first '{' and the
// next '}', if that is not empty; else of the whole key.
unsigned redis_slot(std::string_view key);

}  // namespace mxfeed
