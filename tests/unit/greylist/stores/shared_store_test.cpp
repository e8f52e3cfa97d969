// SPDX-License-Identifier: GPL-2.0-or-later
//
// A store that hosts share, and the own one beside it.

#include "milters/greylist/stores/shared_store.h"

#include <memory>

#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "tests/support/catch.h"
#include "tests/unit/greylist/stores/store_rig.h"

namespace mxfeed::greylist {
namespace {

// Fails at once.
class BrokenStore : public Store {
 public:
  Decision update(const Keys&, const Step&, Deadline) override {
    throw Fault("use greylist store", "broken", "always");
  }
  Swept sweep(Time) override { return {}; }
};

class CountingStore : public Store {
 public:
  Decision update(const Keys& keys, const Step& step, Deadline deadline) override {
    ++updates_;
    return store_->update(keys, step, deadline);
  }
  Swept sweep(Time now) override { return store_->sweep(now); }
  int updates() const { return updates_; }

 private:
  const std::unique_ptr<Store> store_ = open_memory_store();
  int updates_ = 0;
};

TEST_CASE("of a shared and an own store one that works is enough", "[greylist]") {
  const bool is_shared_broken = GENERATE(true, false);
  auto broken = std::make_unique<BrokenStore>();
  const auto store = is_shared_broken
                         ? share_store(std::move(broken), open_memory_store())
                         : share_store(open_memory_store(), std::move(broken));
  Metric& faults = counter("mxfeed_greylist_redis_faults_total");
  const auto before = faults.value();
  CHECK(decide_at(*store, 1000).outcome == Outcome::first_seen);
  CHECK(decide_at(*store, 1180).outcome == Outcome::passed);
  // Trouble of the own store is not taken for that of the shared one.
  CHECK((faults.value() > before) == is_shared_broken);
}

TEST_CASE("who is known to the own store is not looked up in the shared one",
          "[greylist]") {
  auto shared = std::make_unique<CountingStore>();
  const CountingStore& asked = *shared;
  const auto store = share_store(std::move(shared), open_memory_store());
  CHECK(decide_at(*store, 1000).outcome == Outcome::first_seen);
  CHECK(decide_at(*store, 1100).outcome == Outcome::too_early);
  CHECK(decide_at(*store, 1180).outcome == Outcome::passed);
  CHECK(asked.updates() == 3);
  CHECK(decide_at(*store, 1181).outcome == Outcome::known);
  CHECK(asked.updates() == 3);
  // Once a day the others are told that it is still in use.
  CHECK(decide_at(*store, 1180 + 86'400).outcome == Outcome::known);
  CHECK(asked.updates() == 4);
}

}  // namespace
}  // namespace mxfeed::greylist
