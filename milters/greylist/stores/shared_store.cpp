// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/stores/shared_store.h"

#include <array>
#include <atomic>
#include <utility>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"

namespace mxfeed::greylist {
namespace {

using SteadyTime = std::chrono::steady_clock;

// What the own store has, and what a decision on that alone would be.  If it fails, it
// has nothing: the shared one decides alone.
struct OwnRecords {
  OwnRecords(Store& own, const Keys& keys, const Store::Step& step, Deadline deadline) {
    try {
      own.update(
          keys,
          [&](const Look& look) {
            alone = step(look);
            if (is_known()) return Decision{};
            for (std::size_t i = 0; i < kSlots; ++i) {
              const bool is_used = !keys.by_slot.at(i).digest.empty();
              by_slot.at(i) = is_used ? look(static_cast<Slot>(i)) : std::nullopt;
            }
            return Decision{};
          },
          deadline);
    } catch (const Fault&) {
      alone.reset();
      counter("mxfeed_greylist_store_faults_total").add();
    }
  }

  // There is nothing to wait for, and nothing to tell others.
  bool is_known() const {
    return alone && alone->lets_through() && alone->changes.empty();
  }

  std::optional<Decision> alone;
  std::array<std::optional<Record>, kSlots> by_slot;
};

class SharedStore : public Store {
 public:
  SharedStore(std::unique_ptr<Store> shared, std::unique_ptr<Store> own)
      : shared_(std::move(shared)), own_(std::move(own)) {
    gauge("mxfeed_greylist_redis_up").set(1);
  }

  Decision update(const Keys& keys, const Step& step, Deadline deadline) override {
    const auto now = SteadyTime::now();
    const OwnRecords own(*own_, keys, step, now + (deadline - now) / 4);
    if (own.is_known()) return *own.alone;
    const Deadline most = now + (deadline - now) * 2 / 3;
    try {
      Decision decision = shared_->update(
          keys,
          [&](const Look& look) {
            return step([&](Slot slot) {
              auto record = look(slot);
              return record ? record : own.by_slot.at(static_cast<std::size_t>(slot));
            });
          },
          most);
      find_back();
      if (!decision.changes.empty()) note_own(keys, decision, deadline);
      return decision;
    } catch (const Fault& fault) {
      lose(fault);
    }
    return own_->update(keys, step, deadline);
  }

  Swept sweep(Time now) override { return own_->sweep(now); }
  void flush(Deadline deadline) override { own_->flush(deadline); }

 private:
  void note_own(const Keys& keys, const Decision& decision, Deadline deadline) {
    try {
      own_->note(keys, decision, deadline);
    } catch (const Fault&) {
      counter("mxfeed_greylist_store_faults_total").add();
    }
  }

  void lose(const Fault& fault) {
    counter("mxfeed_greylist_redis_faults_total").add();
    if (is_away_.exchange(true)) return;
    gauge("mxfeed_greylist_redis_up").set(0);
    log(Severity::warning, LogFields()
                               .add("event", "greylist-redis")
                               .add("state", "away")
                               .add("fault", fault.what()));
  }

  void find_back() {
    if (!is_away_.load() || !is_away_.exchange(false)) return;
    gauge("mxfeed_greylist_redis_up").set(1);
    log(Severity::notice, LogFields().add("event", "greylist-redis").add("state", "up"));
  }

  const std::unique_ptr<Store> shared_;
  const std::unique_ptr<Store> own_;
  std::atomic<bool> is_away_{false};
};

}  // namespace

std::unique_ptr<Store> share_store(std::unique_ptr<Store> shared,
                                   std::unique_ptr<Store> own) {
  return std::make_unique<SharedStore>(std::move(shared), std::move(own));
}

}  // namespace mxfeed::greylist
