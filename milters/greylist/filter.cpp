// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/filter.h"

#include <fmt/format.h>

#include "common/base/metrics.h"
#include "milters/greylist/exemption.h"
#include "milters/greylist/key.h"

namespace mxfeed::greylist {
namespace {

Metric& recipients(std::string_view outcome) {
  return counter("mxfeed_greylist_recipients_total",
                 fmt::format(R"(outcome="{}")", outcome));
}

void count(std::string_view outcome) {
  recipients(outcome).add();
}

class GreylistFilter : public Filter {
 public:
  GreylistFilter(GreylistMilter& milter, const Envelope& envelope)
      : milter_(milter), envelope_(envelope), policy_(milter.policy()) {}

  Verdict on_recipient(const Recipient& recipient) override {
    wait_ = std::chrono::seconds(0);
    domain_.clear();
    const auto domain = policy_->find_own(recipient.domain);
    if (!exemption(envelope_, recipient, domain, policy_->gateway()).empty()) {
      count("exempt");
      return Verdict::proceed();
    }
    domain_ = domain->name;
    const GreylistPolicy& greylist = domain->greylist;
    const bool leads = greylist.shadow || !let_through_;
    const Time now = milter_.now();
    const auto decision =
        store_works_
            ? decide_on(recipient,
                        [&](const auto& seen) {
                          return leads ? decide(seen, now, greylist)
                                       : follow(seen, now, greylist, *let_through_);
                        })
            : std::nullopt;
    if (!decision) {
      store_works_ = false;
      count("store-fault");
      return !let_through_ || *let_through_ ? pass_unseen()
                                            : deferred("greylist-follows");
    }
    wait_ = decision->wait;
    if (greylist.shadow) return shadow(*decision);
    if (leads) let_through_ = decision->lets_through();
    return verdict_for(*decision, leads);
  }

  bool wants_content() const noexcept override { return false; }

  Verdict on_fault(const Fault& fault) noexcept override {
    return milter_.on_fault(fault);
  }

  void describe(LogFields& fields) const override {
    if (!domain_.empty()) fields.add("domain", domain_);
    if (wait_.count() > 0) fields.add("wait", wait_.count());
  }

 private:
  std::optional<Decision> decide_on(const Recipient& recipient, const Store::Step& step) {
    const std::string key = key_of(*envelope_.client.address, envelope_.sender, recipient,
                                   domain_, policy_->gateway().greylist);
    // Set on every run of the step, so it belongs to the decision that is written.
    return milter_.store().update(key, [&](const std::optional<Record>& seen) {
      Decision decision = step(seen);
      waited_ = seen && decision.outcome == Outcome::passed
                    ? milter_.now() - seen->first_seen
                    : std::chrono::seconds(0);
      return decision;
    });
  }

  // The store is not tried again in this transaction: its time is limited.
  Verdict pass_unseen() {
    let_through_ = true;
    return Verdict::proceed("greylist-store-fault");
  }

  Verdict shadow(const Decision& decision) {
    if (decision.lets_through()) return Verdict::proceed();
    count("shadow");
    return Verdict::proceed("greylist-shadow");
  }

  Verdict verdict_for(const Decision& decision, bool leads) {
    static Metric& first_seen = recipients("first-seen");
    static Metric& too_early = recipients("too-early");
    static Metric& passed = recipients("passed");
    static Metric& known = recipients("known");
    static Metric& waited = counter("mxfeed_greylist_waited_seconds_total");
    switch (decision.outcome) {
      case Outcome::first_seen:
        first_seen.add();
        return deferred(leads ? "greylist-first-seen" : "greylist-follows");
      case Outcome::too_early:
        too_early.add();
        return deferred(leads ? "greylist-too-early" : "greylist-follows");
      case Outcome::passed:
        passed.add();
        waited.add(static_cast<std::uint64_t>(waited_.count()));
        wait_ = waited_;
        return Verdict::proceed(leads ? "greylist-passed" : "greylist-follows");
      case Outcome::known:
        known.add();
        return Verdict::proceed();
    }
    return Verdict::proceed();
  }

  Verdict deferred(std::string_view reason) const {
    const auto& settings = policy_->gateway().greylist;
    return Verdict::defer(
        settings.code == 451 ? StatusCode{451, "4.7.1"} : StatusCode{450, "4.7.1"},
        reason, settings.text);
  }

  GreylistMilter& milter_;
  const Envelope& envelope_;
  const std::shared_ptr<const PolicyDb> policy_;
  std::optional<bool> let_through_;  // what the first greylisted recipient decided
  bool store_works_ = true;
  // For the current recipient.
  std::string domain_;
  std::chrono::seconds wait_{0};
  std::chrono::seconds waited_{0};
};

class GreylistConnection : public Connection {
 public:
  explicit GreylistConnection(GreylistMilter& milter) : milter_(milter) {}

  std::unique_ptr<Filter> begin(const Envelope& envelope) override {
    return std::make_unique<GreylistFilter>(milter_, envelope);
  }

 private:
  GreylistMilter& milter_;
};

}  // namespace

GreylistMilter::GreylistMilter(LivePolicy& policy, GuardedStore& store, Clock clock)
    : policy_(policy), store_(store), clock_(std::move(clock)) {}

Needs GreylistMilter::needs() const {
  Needs needs;
  needs.recipient_verdict = true;
  needs.data_verdict = true;
  return needs;
}

std::unique_ptr<Connection> GreylistMilter::connect(const Client&) {
  return std::make_unique<GreylistConnection>(*this);
}

Verdict GreylistMilter::on_fault(const Fault&) noexcept {
  count("fault");
  return Verdict::proceed("fault");
}

}  // namespace mxfeed::greylist
