// SPDX-License-Identifier: GPL-2.0-or-later
//
// The spam milter: collects the relevant parts of a message, has them judged and acts by
// the recipients' policy.  It records what SPF says of the sender.  It gives no verdicts
// on recipients: mxfeed-virus keeps recipients of different policies apart.

#pragma once

#include <functional>
#include <memory>

#include "common/base/clock.h"
#include "common/milter/filter.h"
#include "common/net/spf_checks.h"
#include "common/policy/answering_servers.h"
#include "common/policy/policy_db.h"
#include "milters/spam/classification.h"
#include "milters/spam/evidence/evidence.h"
#include "milters/spam/lists/list_desk.h"

namespace mxfeed::spam {

using PolicySource = std::function<std::shared_ptr<const PolicyDb>()>;

class SpamMilter : public Milter {
 public:
  // `policy` and `combiner` give those in force; thread-safe, as `clock` and `sources`
  // are.
  // `checks`, `answering` and `lists` must outlive it.
  SpamMilter(
      PolicySource policy, Clock clock, Sources sources, spf::Checks& checks,
      const AnsweringServers& answering, ListDesk& lists,
      CombinerSource combiner = [] { return Combiner{}; });

  Needs needs() const override;
  std::unique_ptr<Connection> connect(const Client& client) override;
  // Mail passes.
  Verdict on_fault(const Fault& fault) noexcept override;
  bool passes_without_session() const noexcept override { return true; }

 private:
  const PolicySource policy_;
  const Clock clock_;
  const Sources sources_;
  const AnsweringServers& answering_;
  const CombinerSource combiner_;
  EngineDesk engine_;
  const Classifier classifier_;
};

}  // namespace mxfeed::spam
