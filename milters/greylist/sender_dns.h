// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the DNS says of the sender of one message, and what follows from it.  Nothing is
// asked before it is needed, but for the SPF check that begin_spf() begins; nobody waits
// longer than the budget of the policy.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "milters/greylist/block_lists.h"
#include "milters/greylist/dns_desk.h"
#include "milters/greylist/identity.h"
#include "milters/greylist/lists.h"

namespace mxfeed::greylist {

class SenderDns {
 public:
  // All outlive it.
  SenderDns(DnsDesk& desk, BlockLists& block_lists, const Envelope& envelope,
            const GatewayPolicy& gateway)
      : desk_(desk),
        block_lists_(block_lists),
        envelope_(envelope),
        gateway_(gateway),
        end_(std::chrono::steady_clock::now() + gateway.greylist.spf_timeout) {}

  void begin_spf();
  // The same, unless it was begun.  Then the identity may be a better one than before.
  void need_spf();

  // Waits for the SPF check, if one was begun.
  const Identities& identities();
  // Null if nobody has asked for them yet.
  const Identities* found_identities() const {
    return identities_ ? &*identities_ : nullptr;
  }

  // Waits for SPF if that decides.
  Listed find_listed(const DomainPolicy& domain);

  // Asks the block lists, once; from now on nobody waits longer than the budget.
  void begin_block_lists();
  // Waits for them; false if they were not asked.
  bool is_block_listed();
  // The list that has the client; empty if none is known to have it.
  std::string block_list() const { return block_list_.value_or(""); }

  // The deadline for further questions.
  spf::Checks::Instant end() const { return end_; }

 private:
  const spf::Verdict& spf();

  DnsDesk& desk_;
  BlockLists& block_lists_;
  const Envelope& envelope_;
  const GatewayPolicy& gateway_;
  spf::Checks::Instant end_;
  std::optional<spf::Check> check_;
  std::optional<spf::Verdict> spf_;
  std::optional<Identities> identities_;
  std::optional<SenderFacts> facts_;
  std::optional<std::vector<BlockLists::Asked>> asked_lists_;
  std::optional<std::string> block_list_;
};

}  // namespace mxfeed::greylist
