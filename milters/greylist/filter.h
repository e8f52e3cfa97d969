// SPDX-License-Identifier: GPL-2.0-or-later
//
// The greylisting milter: collects what a decision needs, asks the store, answers at RCPT
// or, for the null sender, at DATA.
//
// The first greylisted recipient of a message decides for the other greylisted ones: all
// are let through or all are deferred, each recorded under its own key.  Some senders
// lose recipients when a message is let through for some of them only, and Postfix counts
// every refused recipient as an error of the client.  Recipients that are exempt or in
// shadow mode, or for which a list denies the sender, neither decide nor follow.
//
// Servers that ask whether an address exists use the null sender, and end after RCPT: so
// they are never deferred.
//
// If the store or the milter fails, mail passes.

#pragma once

#include <memory>
#include <string>

#include "common/milter/filter.h"
#include "common/policy/policy_db.h"
#include "milters/greylist/block_lists.h"
#include "milters/greylist/dns_desk.h"
#include "milters/greylist/recent.h"
#include "milters/greylist/stores/guarded_store.h"
#include "milters/greylist/traps.h"

namespace mxfeed::greylist {

class GreylistMilter : public Milter {
 public:
  // So many new senders of one network wait at once, unless it is verified.
  static constexpr unsigned kMostOfNetwork = 200;
  // How long an identity that is known is not looked up again.
  static constexpr auto kKnownFor = std::chrono::seconds(60);

  // `policy`, `store` and `checks` outlive it.  `lookups` and `ask` answer questions of
  // DNS.
  GreylistMilter(LivePolicy& policy, GuardedStore& store, spf::Checks& checks,
                 DnsDesk::Lookups lookups, Clock clock = system_time,
                 BlockLists::Ask ask = {});

  Needs needs() const override;
  std::unique_ptr<Connection> connect(const Client& client) override;
  Verdict on_fault(const Fault& fault) noexcept override;
  bool passes_without_session() const noexcept override { return true; }

  // The policy in force, to be kept for one transaction.
  std::shared_ptr<const PolicyDb> policy() const { return policy_.get(); }
  GuardedStore& store() { return store_; }
  DnsDesk& dns() { return dns_; }
  BlockLists& block_lists() { return block_lists_; }
  Time now() const { return clock_(); }

  // Whether mail of the scope from the client passes, as the store has said lately.
  bool is_known(const Client& client, const std::string& scope) const;
  void note_known(const Client& client, const std::string& scope);

  Traps& traps() { return traps_; }

  // How many new senders of a network wait.
  bool is_flooded(const std::string& network) const;
  void note_waiting(const std::string& network);
  void note_passed(const std::string& network);

 private:
  LivePolicy& policy_;
  GuardedStore& store_;
  const Clock clock_;
  DnsDesk dns_;
  Traps traps_;
  BlockLists block_lists_;
  Recent<bool> known_{50'000};
  Recent<unsigned> waiting_{50'000};  // by network
};

}  // namespace mxfeed::greylist
