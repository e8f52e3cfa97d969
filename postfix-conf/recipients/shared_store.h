// SPDX-License-Identifier: GPL-2.0-or-later
//
// A store that hosts share, with one of this host's own beside it.
//
// What is learned is written to both, so that this host knows it while the shared one is
// away: after a fault that one is left alone until sweep(), called often, finds it back.
// What was learned meanwhile is found in the own one; the others get it with the next
// update.
//
// Metrics: mxfeed_recipients_redis_up, mxfeed_recipients_redis_faults_total.

#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "postfix-conf/recipients/store.h"

namespace mxfeed::recipients {

class SharedStore : public Store {
 public:
  explicit SharedStore(std::unique_ptr<Store> own, Clock clock = system_time);
  ~SharedStore() override;

  // From now on; null: the own store alone.
  void use(std::unique_ptr<Store> shared);

  enum class State : std::uint8_t { off, up, away };
  State state() const;

  // All throw Fault if the own store is needed and does not work.
  Knowledge find(const Recipient& recipient) override;
  Knowledge update(const Recipient& recipient, const Step& step) override;
  std::optional<std::string> accepted_neighbour(const Recipient& recipient) override;
  std::size_t sweep(Time now) override;

 private:
  struct Shared;

  std::shared_ptr<Shared> shared() const;
  // What `what` makes of the shared store; nothing if there is none, or it is away.
  template <typename Do>
  auto with_shared(Do what);
  // What the own store knows; nothing after a fault.
  Knowledge find_own(const Recipient& recipient);
  void check_shared(Time now);

  const std::unique_ptr<Store> own_;
  const Clock clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<Shared> shared_;  // guarded by mutex_
};

std::string_view to_string(SharedStore::State state);

}  // namespace mxfeed::recipients
