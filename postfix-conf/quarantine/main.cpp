// SPDX-License-Identifier: GPL-2.0-or-later
//
// mxfeed-quarantine [--socket SPEC] [--state DIR] [--foreground]
//   --socket  unix:PATH or fd:3 (socket activation)
//
// Postfix delivers what is held to it by LMTP.

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/program/service.h"
#include "postfix-conf/quarantine/clients.h"
#include "postfix-conf/quarantine/store.h"

namespace mxfeed::quarantine {
namespace {

using Monotonic = std::chrono::steady_clock;

// Between two looks for what has expired, unless there is more to do.
constexpr std::chrono::seconds kExpiryPause{10};
constexpr std::chrono::minutes kCleaningPause{60};

std::string socket_of(const ServiceContext& context) {
  const std::string& given = context.options.socket;
  if (!given.empty()) return given;
  return "unix:" + (context.data / "quarantine.sock").string();
}

class StoreDelivery : public Delivery {
 public:
  explicit StoreDelivery(Store& store) : store_(store) {}

  // A receipt comes with the content of what was released, which we do not need.
  void begin(const Arrival& arrival) override {
    content_.reset();
    if (!arrival.held.empty()) content_ = store_.new_content();
  }

  void add(std::string_view content) override {
    if (content_) content_->add(content);
  }

  void end(const Arrival& arrival) override {
    const Time now = system_time();
    if (content_) {
      const auto added = store_.keep(arrival, std::move(content_), now);
      for (const auto& one : arrival.held) note(one, arrival.sender, added > 0);
    }
    for (const auto& token : arrival.receipts) store_.note_receipt(token, now);
  }

  void abandon() noexcept override { content_.reset(); }

 private:
  static void note(const HeldAddress& address, const std::string& sender, bool is_new) {
    counter("mxfeed_quarantine_held_total",
            "kind=\"" + std::string(to_string(address.kind)) + '"')
        .add();
    log(Severity::info, LogFields()
                            .add("event", is_new ? "held" : "held-before")
                            .add("kind", to_string(address.kind))
                            .add("domain", address.domain)
                            .add("token", address.token)
                            .add("from", sender)
                            .add("rcpt", address.recipient)
                            .add("why", address.reason));
  }

  Store& store_;
  std::unique_ptr<Content> content_;
};

class QuarantineProgram : public Program {
 public:
  explicit QuarantineProgram(const ServiceContext& context)
      : policy_(context.policy),
        store_(context.data, Sqlite::Access::read_write),
        clients_(socket_of(context),
                 [this] { return std::make_unique<StoreDelivery>(store_); }) {}

  void watch(std::vector<pollfd>& watched) const override { clients_.watch(watched); }
  void on_ready(const pollfd& ready) override {
    clients_.on_ready(ready, Monotonic::now());
  }

  void on_tick() override {
    const auto now = Monotonic::now();
    clients_.on_tick(now);
    if (now >= next_cleaning_) {
      next_cleaning_ = now + kCleaningPause;
      counter("mxfeed_quarantine_leftovers_total")
          .add(store_.remove_leftovers(system_time()));
    }
    // Without a policy nothing is known of how long to keep.
    const auto policy = policy_.get();
    if (now < next_expiry_ || policy->fault()) return;
    const auto limits_of = [&](const std::string& domain) -> Store::Limits {
      const auto wanted = policy->find(domain).quarantine;
      return {wanted.keep, wanted.quota};
    };
    const bool has_more = store_.expire(limits_of, system_time());
    next_expiry_ = has_more ? now : now + kExpiryPause;
  }

  void begin_drain() override { clients_.begin_drain(); }
  std::size_t in_progress() const override { return clients_.receiving(); }

  void describe(StatusSnapshot& snapshot) const override {
    const auto totals = store_.totals();
    snapshot.add("held", totals.messages).add("bytes", totals.bytes);
  }

  void update_metrics() override {
    const auto totals = store_.totals();
    gauge("mxfeed_quarantine_messages").set(totals.messages);
    gauge("mxfeed_quarantine_bytes").set(totals.bytes);
  }

 private:
  LivePolicy& policy_;
  Store store_;
  Clients clients_;
  Monotonic::time_point next_expiry_{}, next_cleaning_{};
};

}  // namespace
}  // namespace mxfeed::quarantine

int main(int argc, char** argv) {
  using namespace mxfeed;
  OptionSet options{"mxfeed-quarantine"};
  options.needs_socket = false;
  return run_service(argc, argv,
                     {"quarantine", options, [](const ServiceContext& context) {
                        return std::make_unique<quarantine::QuarantineProgram>(context);
                      }});
}
