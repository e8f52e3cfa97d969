// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/shared_store.h"

#include <atomic>
#include <utility>

#include "common/base/log.h"
#include "common/base/metrics.h"

namespace mxfeed::recipients {
namespace {

void show(SharedStore::State state) {
  gauge("mxfeed_recipients_redis_up").set(state == SharedStore::State::up ? 1 : 0);
}

LogFields event(SharedStore::State state) {
  return LogFields().add("event", "recipients-redis").add("state", to_string(state));
}

}  // namespace

// The calls that are in progress keep it.
struct SharedStore::Shared {
  explicit Shared(std::unique_ptr<Store> used) : store(std::move(used)) {}

  const std::unique_ptr<Store> store;
  std::atomic<bool> is_away{false};

  void lose(const Fault& fault) {
    counter("mxfeed_recipients_redis_faults_total").add();
    if (is_away.exchange(true)) return;
    show(State::away);
    log(Severity::warning, event(State::away).add("fault", fault.what()));
  }
  void find_back() {
    if (!is_away.exchange(false)) return;
    show(State::up);
    log(Severity::notice, event(State::up));
  }
};

SharedStore::SharedStore(std::unique_ptr<Store> own, Clock clock)
    : own_(std::move(own)), clock_(std::move(clock)) {}

SharedStore::~SharedStore() = default;

void SharedStore::use(std::unique_ptr<Store> shared) {
  auto next = shared ? std::make_shared<Shared>(std::move(shared)) : nullptr;
  {
    const std::lock_guard lock(mutex_);
    shared_.swap(next);
  }
  show(state());
  log(Severity::info, event(state()));
}

std::shared_ptr<SharedStore::Shared> SharedStore::shared() const {
  const std::lock_guard lock(mutex_);
  return shared_;
}

SharedStore::State SharedStore::state() const {
  const auto used = shared();
  if (!used) return State::off;
  return used->is_away ? State::away : State::up;
}

template <typename Do>
auto SharedStore::with_shared(Do what) {
  std::optional<decltype(what(*own_))> result;
  const auto used = shared();
  if (!used || used->is_away) return result;
  try {
    result = what(*used->store);
  } catch (const Fault& fault) {
    used->lose(fault);
  }
  return result;
}

Knowledge SharedStore::find_own(const Recipient& recipient) {
  try {
    return own_->find(recipient);
  } catch (const Fault& fault) {
    complain(fault);
    return {};
  }
}

Knowledge SharedStore::find(const Recipient& recipient) {
  const auto known = with_shared([&](Store& shared) { return shared.find(recipient); });
  if (!known) return own_->find(recipient);
  return merge(find_own(recipient), *known, clock_());
}

Knowledge SharedStore::update(const Recipient& recipient, const Step& step) {
  const auto after = with_shared([&](Store& shared) {
    const Knowledge own = find_own(recipient);
    return shared.update(recipient, [&](const Knowledge& known) {
      return step(merge(own, known, clock_()));
    });
  });
  if (!after) return own_->update(recipient, step);
  try {
    // Another thread may have written what it learned later.
    own_->update(recipient,
                 [&](const Knowledge& own) { return merge(own, *after, clock_()); });
  } catch (const Fault& fault) {
    complain(fault);
  }
  return *after;
}

std::optional<std::string> SharedStore::accepted_neighbour(const Recipient& recipient) {
  const auto found =
      with_shared([&](Store& shared) { return shared.accepted_neighbour(recipient); });
  if (found && *found) return *found;
  return own_->accepted_neighbour(recipient);
}

void SharedStore::check_shared(Time now) {
  const auto used = shared();
  if (!used) return;
  try {
    used->store->sweep(now);
    used->find_back();
  } catch (const Fault& fault) {
    used->lose(fault);
  }
}

std::size_t SharedStore::sweep(Time now) {
  check_shared(now);
  return own_->sweep(now);
}

std::string_view to_string(SharedStore::State state) {
  switch (state) {
    case SharedStore::State::off:
      return "off";
    case SharedStore::State::up:
      return "up";
    case SharedStore::State::away:
      break;
  }
  return "away";
}

}  // namespace mxfeed::recipients
