// SPDX-License-Identifier: GPL-2.0-or-later
//
// Short ways to use a store, for its tests.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/store/redis.h"
#include "milters/greylist/stores/store.h"
#include "tests/support/redis_server.h"

namespace mxfeed::greylist {

using std::chrono::seconds;

constexpr Time at(std::int64_t s) {
  return Time{seconds{s}};
}

inline Deadline soon() {
  return std::chrono::steady_clock::now() + seconds(5);
}

// The keys of a sender in a network of its own.
inline Keys keys(const std::string& name) {
  const Identity network{IdentityKind::network, "192.0.2.0/24"};
  return keys_of({network, network, "192.0.2.7", {}}, name + "@s.example",
                 {"info", "acme.example"}, "acme.example");
}
inline constexpr Slot kSlot = Slot::network_waiting;

inline std::optional<Record> read(Store& store, const std::string& name) {
  std::optional<Record> found;
  store.update(
      keys(name),
      [&](const Look& look) {
        found = look(kSlot);
        return Decision{};
      },
      soon());
  return found;
}

inline void change(Store& store, const std::string& name, std::optional<Record> record) {
  store.update(
      keys(name),
      [&](const Look&) {
        return Decision{Outcome::first_seen, {}, {}, {{kSlot, record}}};
      },
      soon());
}

inline void note(Store& store, const std::string& name, std::optional<Record> record) {
  store.note(keys(name), {Outcome::first_seen, {}, {}, {{kSlot, record}}}, soon());
}

inline void write(Store& store, const std::string& name, const Record& record) {
  change(store, name, record);
  store.flush(soon());
}

inline Decision decide_at(Store& store, int s) {
  return store.update(
      keys("a"), [&](const Look& look) { return decide(look, at(s), Terms{}); }, soon());
}

inline RedisOptions options_of(const RedisServer& server) {
  RedisOptions options;
  options.servers = {server.address()};
  return options;
}

}  // namespace mxfeed::greylist
