// SPDX-License-Identifier: GPL-2.0-or-later
//
// The store behind a circuit breaker: a failing store costs little time and no mail.

#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
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
  not_open,  // will be opened at its next use
  in_use,
  resting,  // not used for a while, after faults
};
std::string_view to_string(StoreState state);

// Thread-safe.  Faults of the store are logged and counted here.  After kFaults of them
// in a row, the store is not used for kRest.  A store that could not be opened is tried
// again at the next use.
class GuardedStore {
 public:
  static constexpr unsigned kFaults = 5;
  static constexpr auto kRest = std::chrono::seconds(5);
  static constexpr auto kBudget = std::chrono::milliseconds(100);
  using SteadyClock = std::function<Breaker::Instant()>;

  // A relative path in a URL is below `directory`.
  explicit GuardedStore(std::filesystem::path directory,
                        SteadyClock clock = std::chrono::steady_clock::now);

  // Sets the store to use from now on and opens it at once; does nothing if it is the one
  // in use.
  void use(const std::string& url);
  // The same for a store that `open` opens; `url` names it.  `budget` is how long a
  // decision may take.
  using Open = std::function<std::unique_ptr<Store>()>;
  void use(const std::string& url, Open open, std::chrono::milliseconds budget);

  // The decision; nothing if the store failed, is not used now, or has not answered
  // within kBudget.
  std::optional<Decision> update(const Keys& keys, const Store::Step& step);
  // Removes some of the expired records.
  void sweep(Time now);

  // "sqlite:greylist.db"; "none" before one is needed.
  std::string url() const;
  StoreState state() const;

 private:
  // Runs the work with the store, and opens it first if needed; false after a fault.
  template <typename Work>
  bool guarded(const Work& work);

  const std::filesystem::path directory_;
  const SteadyClock clock_;
  Breaker breaker_{kFaults, kRest};
  mutable std::shared_mutex
      mutex_;  // guards the members below; shared while the store is used
  std::string url_;
  Open open_;
  std::chrono::milliseconds budget_{kBudget};
  std::unique_ptr<Store> store_;
};

}  // namespace mxfeed::greylist
