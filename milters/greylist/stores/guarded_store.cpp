// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/stores/guarded_store.h"

#include <fmt/format.h>

#include <mutex>
#include <utility>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"

namespace mxfeed::greylist {

GuardedStore::GuardedStore(std::filesystem::path directory, SteadyClock clock)
    : directory_(std::move(directory)), clock_(std::move(clock)) {}

template <typename Work>
bool GuardedStore::guarded(const Work& work) {
  static Metric& resting = gauge("mxfeed_greylist_store_resting");
  if (!breaker_.allows(clock_())) return false;
  try {
    std::shared_lock lock(mutex_);
    while (!store_) {  // use() may reset it again
      lock.unlock();
      {
        const std::lock_guard alone(mutex_);
        if (!store_) store_ = open_();
      }
      lock.lock();
    }
    work(*store_);
    breaker_.succeeded();
    resting.set(0);
    return true;
  } catch (const Fault& fault) {
    counter("mxfeed_greylist_store_faults_total").add();
    const bool rests = breaker_.failed(clock_());
    if (rests) resting.set(1);
    LogFields fields;
    fields.add("event", "greylist-store-fault").add("fault", fault.what());
    if (rests) fields.add("rests", fmt::format("{}s", kRest.count()));
    log(Severity::error, fields);
    return false;
  }
}

void GuardedStore::use(const std::string& url) {
  use(
      url, [this, url] { return open_store(url, directory_); }, kBudget);
}

void GuardedStore::use(const std::string& url, Open open,
                       std::chrono::milliseconds budget) {
  {
    // An exclusive lock waits for all users of the store; most reloads do not change it.
    const std::shared_lock lock(mutex_);
    if (url == url_) return;
  }
  {
    const std::lock_guard alone(mutex_);
    url_ = url;
    open_ = std::move(open);
    budget_ = budget;
    store_.reset();
  }
  breaker_.succeeded();
  guarded([](Store&) {});
}

std::optional<Decision> GuardedStore::update(const Keys& keys, const Store::Step& step) {
  std::optional<Decision> decision;
  guarded([&](Store& store) {
    const Deadline deadline = std::chrono::steady_clock::now() + budget_;
    decision = store.update(keys, step, deadline);
  });
  return decision;
}

void GuardedStore::sweep(Time now) {
  static Metric& swept = counter("mxfeed_greylist_swept_total");
  {
    const std::shared_lock lock(mutex_);
    if (url_.empty()) return;
  }
  guarded([&](Store& store) {
    const Swept found = store.sweep(now);
    swept.add(found.records);
    for (std::size_t i = 0; i < found.abandoned.size(); ++i) {
      if (found.abandoned[i] == 0) continue;
      counter("mxfeed_greylist_abandoned_total",
              fmt::format(R"(identity="{}")", to_string(static_cast<IdentityKind>(i))))
          .add(found.abandoned[i]);
    }
  });
}

std::string GuardedStore::url() const {
  const std::shared_lock lock(mutex_);
  return url_.empty() ? "none" : url_;
}

StoreState GuardedStore::state() const {
  const std::shared_lock lock(mutex_);
  if (url_.empty()) return StoreState::unused;
  if (!breaker_.allows(clock_())) return StoreState::resting;
  return store_ ? StoreState::in_use : StoreState::not_open;
}

std::string_view to_string(StoreState state) {
  switch (state) {
    case StoreState::unused:
      return "unused";
    case StoreState::not_open:
      return "not_open";
    case StoreState::in_use:
      return "in_use";
    case StoreState::resting:
      return "resting";
  }
  return "unused";
}

}  // namespace mxfeed::greylist
