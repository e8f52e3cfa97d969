// SPDX-License-Identifier: GPL-2.0-or-later
//
// All that is found out about one message: who sent it, what lists, an engine of the site
// and the built-in classifier say, and the level that follows.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/log.h"
#include "common/mail/edits.h"
#include "common/mail/envelope.h"
#include "common/net/sender_field.h"
#include "common/net/spf_checks.h"
#include "common/policy/domain_policy.h"
#include "milters/spam/action.h"
#include "milters/spam/authentication.h"
#include "milters/spam/engine/engine_desk.h"
#include "milters/spam/evidence/evidence.h"
#include "milters/spam/lists/list_desk.h"
#include "milters/spam/model/combiner.h"
#include "milters/spam/ruling.h"
#include "milters/spam/score.h"
#include "milters/spam/sender.h"
#include "milters/spam/sender_lists.h"

namespace mxfeed::spam {

// Gives the combiner in force.
using CombinerSource = std::function<Combiner()>;

// What it is found out with; thread-safe.
struct Classifier {
  const Sources& sources;
  spf::Checks& checks;
  ListDesk& lists;
  EngineDesk& engine;
  const CombinerSource& combiner;
};

class Classification {
 public:
  // All must outlive it.
  Classification(const Envelope& envelope, const GatewayPolicy& gateway,
                 const Classifier& classifier);

  // Whether the client is trusted (GatewayPolicy::trust).
  bool is_own() const { return sender_.is_own(); }

  // When a recipient was accepted: begins what takes time.
  void begin(const SpamPolicy& of_recipient);

  // The header, in order; the body only of a message that will be judged.
  void field(std::string_view name, std::string_view value);
  void body(std::string_view chunk);

  // At the end.  Removes the fields in which the sender claims to be a verifier of ours;
  // returns how many.
  std::size_t remove_forged(MessageEdits& edits);
  // Waits for what was begun, within the times that the policy sets.
  void judge(const Message& message, const DomainPolicy& domain, Time now);

  // Once it is judged.
  const Rating& rating() const { return rating_; }
  double probability() const { return score_.probability; }
  // Whether its level may act even if the classifier has not proved itself here.
  bool is_proven() const { return score_.proven || score_.alone == Alone::high; }
  Report report() const;

  // Whether SPF, or a verifier's DMARC, confirms that the message comes from the domain,
  // which is that of the envelope's sender.  Waits for the SPF check.
  bool confirms_sender(std::string_view domain);

  // What X-Mxfeed-Sender is to record; waits for the SPF check.  Nothing if SPF is off.
  std::optional<SenderCheck> sender();

  void describe(LogFields& fields) const;
  void describe_findings(LogFields& fields) const;

 private:
  bool shows_engine() const;
  bool engine_decides() const;
  std::optional<Evidence> ask_engine(Time now);
  void find_evidence(const Message& message, const DomainPolicy& domain);
  const std::optional<SenderCheck>& sender_check();

  const Envelope& envelope_;
  const GatewayPolicy& gateway_;
  const Classifier& classifier_;
  Sender sender_;
  std::optional<std::optional<SenderCheck>> sender_check_;  // once it was waited for
  VerifierFields verifiers_;
  Authentication authentication_;
  SenderLists lists_;
  RawMessage raw_;
  std::string engine_said_;
  Ruling ruling_;
  std::vector<Evidence> findings_;
  Score score_;
  Rating rating_ = SpamLevel::none;
};

}  // namespace mxfeed::spam
