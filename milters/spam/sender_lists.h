// SPDX-License-Identifier: GPL-2.0-or-later
//
// What DNS lists say about one message: the client is asked for when its first recipient
// is accepted, links and domains of senders when the message has ended.

#pragma once

#include <vector>

#include "common/base/log.h"
#include "common/mail/envelope.h"
#include "common/policy/domain_policy.h"
#include "milters/spam/evidence/evidence.h"
#include "milters/spam/lists/list_desk.h"

namespace mxfeed::spam {

class SenderLists {
 public:
  // All must outlive it.
  SenderLists(ListDesk& desk, const GatewayPolicy::Spam& settings,
              const Envelope& envelope);

  // Asks for the client, once.
  void begin();
  // At the end of the message.
  void ask_about(const Message& message);
  // Waits for the answers, up to lists_timeout after ask_about().
  std::vector<Evidence> evidence();

  // What each list says; after evidence().
  const std::vector<ListReply>& replies() const { return replies_; }

  // Adds lists, of those that have something, and lists_unknown.
  void describe(LogFields& fields) const;

 private:
  const GatewayPolicy::Spam& settings_;
  const Envelope& envelope_;
  Inquiry client_, content_;
  ListDesk::Instant end_{};  // of waiting
  bool has_begun_ = false;
  std::vector<ListReply> replies_;
};

}  // namespace mxfeed::spam
