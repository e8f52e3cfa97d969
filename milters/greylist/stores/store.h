// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where records are remembered: store_sqlite.cpp, store_memory.cpp.  A store knows
// nothing of policy, and the policy nothing of stores.

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "milters/greylist/decision.h"

namespace mxfeed::greylist {

// Thread-safe.
class Store {
 public:
  virtual ~Store() = default;

  // Reads all keys in one round trip, runs `step` on each record and writes what it wants
  // written, if the record is unchanged since.  `step` must be pure: it runs again when
  // another writer won.  Throws Fault if the store is broken, full, or past its deadline.
  using Step = std::function<Decision(const std::optional<Record>&)>;
  virtual std::vector<Decision> update(std::span<const std::string> keys,
                                       const Step& step) = 0;

  // Removes some of the records expired at `now`; returns how many.  Short: call it
  // often.
  virtual std::size_t sweep(Time now) = 0;
};

// Looks into a store without changing it, beside a running daemon.
class StoreView {
 public:
  virtual ~StoreView() = default;

  virtual std::optional<Record> find(const std::string& key) = 0;
  // All records in the order of their keys, expired ones that are still there too.
  using Visit = std::function<void(const std::string& key, const Record& record)>;
  virtual void each(const Visit& visit) = 0;
};

// `url`: "sqlite:PATH" or "memory:" (tests).  A path that is not absolute is below
// `directory`.  Both throw Fault for an unknown kind and for a store that cannot be used.
//
// A SQLite file that is damaged is renamed to PATH.damaged, replacing an older one, and
// an empty one begun: losing what we remember delays some mail, no store defers or passes
// all of it.  This is logged and counted.
std::unique_ptr<Store> open_store(std::string_view url,
                                  const std::filesystem::path& directory);
std::unique_ptr<StoreView> view_store(std::string_view url,
                                      const std::filesystem::path& directory);

std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file);
std::unique_ptr<StoreView> view_sqlite_store(const std::filesystem::path& file);
std::unique_ptr<Store> open_memory_store();

}  // namespace mxfeed::greylist
