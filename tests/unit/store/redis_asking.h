// SPDX-License-Identifier: GPL-2.0-or-later
//
// Short ways to ask the client that is tested.

#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "common/store/redis.h"
#include "tests/support/redis_server.h"

namespace mxfeed {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Monotonic = std::chrono::steady_clock;

inline constexpr auto kBudget = milliseconds(250);
// What a thread that is ready to run may be late on a busy machine.
inline constexpr auto kLate = milliseconds(400);

using Strings = std::vector<std::string>;

inline RedisReply ask(Redis& redis, const Strings& words,
                      milliseconds budget = seconds(10)) {
  const std::vector<std::string_view> views(words.begin(), words.end());
  return redis.run(words.size() > 1 ? words[1] : "", views, Monotonic::now() + budget);
}

inline RedisReply ask_script(Redis& redis, const std::string& script, const Strings& keys,
                             const Strings& arguments) {
  const std::vector<std::string_view> key_views(keys.begin(), keys.end());
  const std::vector<std::string_view> views(arguments.begin(), arguments.end());
  return redis.run_script(script, key_views, views, Monotonic::now() + seconds(10));
}

inline bool answers(Redis& redis, const Strings& words) {
  try {
    ask(redis, words, kBudget);
    return true;
  } catch (const Fault&) {
    return false;
  }
}

inline RedisOptions options_for(const RedisServer& server) {
  RedisOptions options;
  options.servers = {server.address()};
  return options;
}

}  // namespace mxfeed
