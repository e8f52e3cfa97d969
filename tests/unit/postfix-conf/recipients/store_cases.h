// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the tests of the stores write.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "postfix-conf/recipients/redis_store.h"
#include "postfix-conf/recipients/store.h"
#include "tests/support/redis_server.h"

namespace mxfeed::recipients {

using std::chrono::hours;
using std::chrono::seconds;
using Standing = Address::Standing;

inline constexpr Time kNow{hours(24 * 365 * 50)};

inline Recipient recipient(const std::string& text) {
  return Recipient::parse(text).value();
}

inline Knowledge some() {
  Knowledge known;
  known.address = Address{Standing::refused, kNow, Address::Source::delivery};
  known.server = {kNow + seconds(1), true,
                  kNow + seconds(2), kNow + seconds(3),
                  kNow + seconds(4), kNow + seconds(5),
                  kNow + seconds(6)};
  return known;
}

inline void write(Store& store, const std::string& to, const Knowledge& known) {
  store.update(recipient(to), [&](const Knowledge&) { return known; });
}

inline void accept(Store& store, const std::string& to, Time at) {
  store.update(recipient(to), [&](Knowledge known) {
    known.address = Address{Standing::accepted, at, Address::Source::call_out};
    return known;
  });
}

// Of the test's clock, with more time than a busy machine needs.
inline std::unique_ptr<Store> redis_store(
    const RedisServer& server, std::string prefix = "mxfeed",
    std::chrono::milliseconds budget = seconds(10)) {
  RedisStoreOptions options;
  options.redis.servers = {server.address()};
  options.redis.rest = std::chrono::milliseconds(200);
  options.prefix = std::move(prefix);
  options.clock = [] { return kNow; };
  options.budget = budget;
  return open_redis_store(std::move(options));
}

}  // namespace mxfeed::recipients
