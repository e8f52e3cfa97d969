// SPDX-License-Identifier: GPL-2.0-or-later
//
// Recipients whose mail is learned instead of delivered: traps, and the addresses to
// which a customer's users report what was judged wrong.  Pure.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/log.h"
#include "common/mail/edits.h"
#include "common/mail/envelope.h"
#include "common/mail/held_address.h"
#include "common/mail/verdict.h"
#include "common/policy/domain_policy.h"

namespace mxfeed::spam {

// What mail to the recipient teaches; nothing if it is an ordinary recipient.
std::optional<HeldKind> taught_by(const Recipient& recipient, const DomainPolicy& policy);

// Why the sender of a report is believed to be the one of the envelope.
enum class Proof : std::uint8_t {
  none,
  trusted_client,  // GatewayPolicy::trust
  own_server,      // the client is a server of the reported domain
  sender           // SPF or DMARC
};
std::string_view to_string(Proof proof);

// Who reports, as far as it is known without waiting.
struct Reporter {
  bool is_trusted = false;  // the client
  std::optional<IpAddress> client;
  DomainPolicy policy;  // of the domain of the envelope's sender
};

// Whether both domains are ours and of the same customer, or the same domain.
bool is_same_customer(const DomainPolicy& a, const DomainPolicy& b);

// Those of one message.
class TaughtRecipients {
 public:
  // Takes it if it teaches; returns whether it did.
  bool add(const Recipient& recipient, const DomainPolicy& policy);

  bool empty() const { return all_.empty(); }
  bool has_report() const;
  std::vector<HeldKind> kinds() const;

  // Why the message cannot be taken; nothing if it can.  Only for reports: `confirms`
  // tells whether SPF or DMARC confirms the sender, and is asked if nothing else proves
  // him.
  std::optional<Verdict> refusal(const Reporter& reporter,
                                 const std::function<bool()>& confirms);
  // Exchanges them for addresses of the quarantine.
  void hold(const std::string& token, MessageEdits& edits) const;

  void describe(LogFields& fields) const;

 private:
  struct One {
    HeldKind kind;
    std::string recipient;  // as received
    DomainPolicy policy;
  };
  Proof prove(const One& one, const Reporter& reporter,
              const std::function<bool()>& confirms) const;

  std::vector<One> all_;
  Proof proof_ = Proof::none;
};

}  // namespace mxfeed::spam
