// SPDX-License-Identifier: GPL-2.0-or-later
//
// The interface of stores for records (sqlite.cpp, redis.cpp, memory.cpp).  A store knows
// nothing of policy, and the policy nothing of stores.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "milters/greylist/decision.h"
#include "milters/greylist/key.h"

namespace mxfeed::greylist {

using Deadline = std::chrono::steady_clock::time_point;

// What a sweep has removed.
struct Swept {
  std::size_t records = 0;
  // Waiting records that nobody came back for, by the kind of the sender's best identity.
  std::array<std::size_t, 3> abandoned{};
};

// Thread-safe.
class Store {
 public:
  virtual ~Store() = default;

  // Runs `step` on what the store has for the keys and makes the changes of its decision,
  // unless a record has changed since: then it runs again.  `step` must be pure.  Throws
  // Fault if the store is damaged or full, or has not answered by the deadline.
  using Step = std::function<Decision(const Look&)>;
  virtual Decision update(const Keys& keys, const Step& step, Deadline deadline) = 0;

  // Makes the changes of a decision that another store has made.  Nobody waits until they
  // are safe: what came last may be lost if this process is killed.  Throws as above.
  virtual void note(const Keys& keys, const Decision& decision, Deadline deadline) {
    update(
        keys, [&](const Look&) { return decision; }, deadline);
  }

  // Removes some of the records expired at `now`.  Takes little time; to be called often.
  virtual Swept sweep(Time now) = 0;

  // Waits until what was changed would outlive this process.  Throws Fault if it would
  // not by the deadline.
  virtual void flush(Deadline) {}
};

// Reads a store without changing it, while the daemon uses it.
class StoreView {
 public:
  virtual ~StoreView() = default;

  virtual std::optional<Record> find(const Keys& keys, Slot slot) = 0;
  // All records in any order, including expired ones that are not yet removed.
  using Visit = std::function<void(const Key& key, const Record& record)>;
  virtual void each(const Visit& visit) = 0;
};

// `url`: "sqlite:PATH" or "memory:" (tests).  A path that is not absolute is below
// `directory`.  Both throw Fault for an unknown kind and for a store that cannot be used.
//
// A damaged SQLite file is renamed to PATH.damaged, replacing an older one, and a new
// file is started; this is logged and counted.  Lost records delay some mail; without a
// store, no mail would be greylisted.
std::unique_ptr<Store> open_store(std::string_view url,
                                  const std::filesystem::path& directory);
std::unique_ptr<StoreView> view_store(std::string_view url,
                                      const std::filesystem::path& directory);

std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file);
std::unique_ptr<StoreView> view_sqlite_store(const std::filesystem::path& file);
std::unique_ptr<Store> open_memory_store();

}  // namespace mxfeed::greylist
