// SPDX-License-Identifier: GPL-2.0-or-later
//
// The store behind a breaker: a store in trouble costs little time and never mail.

#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "common/store/breaker.h"
#include "milters/greylist/stores/store.h"

namespace mxfeed::greylist {

enum class StoreState {
  unused,    // no store is needed yet
  not_open,  // it is opened when it is needed
  in_use,
  resting,  // left alone after faults
};
std::string_view to_string(StoreState state);

// Thread-safe.  Faults of the store are logged and counted here.  After kFaults of them
// in a row it is left alone for kRest; one that could not be opened is opened again then.
class GuardedStore {
 public:
  static constexpr unsigned kFaults = 5;
  static constexpr auto kRest = std::chrono::seconds(5);
  using SteadyClock = std::function<Breaker::Instant()>;

  // A relative path in a URL is below `directory`.
  explicit GuardedStore(std::filesystem::path directory,
                        SteadyClock clock = std::chrono::steady_clock::now);

  // The store to use from now on; opened at once, the old one stays if it is the same.
  void use(const std::string& url);

  // The decision for one key; nothing: the store is in trouble.
  std::optional<Decision> update(const std::string& key, const Store::Step& step);
  // Removes some of what has expired.
  void sweep(Time now);

  // "sqlite:greylist.db"; "none" before one is needed.
  std::string url() const;
  StoreState state() const;

 private:
  // Runs the work with the store, opening it before if need be; false after a fault.
  template <typename Work>
  bool guarded(const Work& work);

  const std::filesystem::path directory_;
  const SteadyClock clock_;
  Breaker breaker_{kFaults, kRest};
  mutable std::shared_mutex mutex_;  // of what follows; shared while the store is used
  std::string url_;
  std::unique_ptr<Store> store_;
};

}  // namespace mxfeed::greylist
