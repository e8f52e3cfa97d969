// SPDX-License-Identifier: GPL-2.0-or-later
//
// The greylisting milter: gathers what a decision needs, asks the store, answers at RCPT.
//
// The first recipient of a message that is greylisted decides for the further ones that
// are: all are let through or all are deferred, each recorded under its own key.  Senders
// are known to lose recipients when one message is let through for some only, and Postfix
// would count every refused recipient as an error of the client.  Recipients that are
// exempt, or in shadow mode, neither decide nor follow.
//
// A store in trouble, or a fault of ours, lets mail pass.

#pragma once

#include <memory>

#include "common/milter/filter.h"
#include "common/policy/policy_db.h"
#include "milters/greylist/stores/guarded_store.h"

namespace mxfeed::greylist {

class GreylistMilter : public Milter {
 public:
  // Both outlive it.
  GreylistMilter(LivePolicy& policy, GuardedStore& store, Clock clock = system_time);

  Needs needs() const override;
  std::unique_ptr<Connection> connect(const Client& client) override;
  Verdict on_fault(const Fault& fault) noexcept override;

  // For one transaction.
  std::shared_ptr<const PolicyDb> policy() const { return policy_.get(); }
  GuardedStore& store() { return store_; }
  Time now() const { return clock_(); }

 private:
  LivePolicy& policy_;
  GuardedStore& store_;
  const Clock clock_;
};

}  // namespace mxfeed::greylist
