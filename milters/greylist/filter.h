// SPDX-License-Identifier: GPL-2.0-or-later
//
// The greylisting milter: collects what a decision needs, asks the store, answers at
// RCPT.
//
// The first greylisted recipient of a message decides for the other greylisted ones: all
// are let through or all are deferred, each recorded under its own key.  Some senders
// lose recipients when a message is let through for some of them only, and Postfix counts
// every refused recipient as an error of the client.  Recipients that are exempt, or in
// shadow mode, neither decide nor follow.
//
// If the store or the milter fails, mail passes.

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
  bool passes_without_session() const noexcept override { return true; }

  // The policy in force, to be kept for one transaction.
  std::shared_ptr<const PolicyDb> policy() const { return policy_.get(); }
  GuardedStore& store() { return store_; }
  Time now() const { return clock_(); }

 private:
  LivePolicy& policy_;
  GuardedStore& store_;
  const Clock clock_;
};

}  // namespace mxfeed::greylist
