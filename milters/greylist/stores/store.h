// SPDX-License-Identifier: GPL-2.0-or-later
//
// The interface of stores for records (sqlite.cpp, memory.cpp).  A store knows nothing of
// policy, and the policy nothing of stores.

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

  // Reads the records of all keys in one round trip, runs `step` on each and writes its
  // results, unless the record has changed since.  `step` must be pure: it runs again if
  // another writer was faster.  Throws Fault if the store is damaged, full or too slow.
  using Step = std::function<Decision(const std::optional<Record>&)>;
  virtual std::vector<Decision> update(std::span<const std::string> keys,
                                       const Step& step) = 0;

  // Removes some of the records expired at `now`; returns how many.  Takes little time;
  // to be called often.
  virtual std::size_t sweep(Time now) = 0;
};

// Reads a store without changing it, while the daemon uses it.
class StoreView {
 public:
  virtual ~StoreView() = default;

  virtual std::optional<Record> find(const std::string& key) = 0;
  // All records in the order of their keys, including expired ones that are not yet
  // removed.
  using Visit = std::function<void(const std::string& key, const Record& record)>;
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
