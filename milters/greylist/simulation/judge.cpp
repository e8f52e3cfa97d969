// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/simulation/judge.h"

#include <optional>

#include "milters/greylist/exemption.h"
#include "milters/greylist/lists.h"

namespace mxfeed::greylist {
namespace {

Envelope envelope_of(const Attempt& attempt) {
  Envelope envelope;
  envelope.client = attempt.client;
  envelope.helo = attempt.helo;
  envelope.authenticated = attempt.authenticated;
  const auto path = Path::parse(attempt.sender);
  envelope.sender = path ? path->str() : attempt.sender;
  return envelope;
}

// What is known of the sender of one try.
struct Sender {
  Envelope envelope;
  spf::Verdict spf;
  SenderFacts facts;
  Identities who;
};

Sender sender_of(const Attempt& attempt, const SimulationSettings& settings) {
  Sender sender{envelope_of(attempt), {}, {}, {}};
  const Envelope& envelope = sender.envelope;
  sender.spf = settings.spf(envelope);
  sender.facts = SenderFacts::of(envelope.client, envelope.sender);
  sender.who = identities_of(envelope.client, envelope.sender, sender.spf,
                             settings.gateway.greylist);
  return sender;
}

bool is_spared(const Sender& sender, const GreylistPolicy& greylist) {
  return !exemption_by_when(sender.envelope, greylist).empty() ||
         (greylist.when == GreylistWhen::suspicious && sender.who.is_verified());
}

}  // namespace

Case case_of(const Attempt& attempt, const SimulationSettings& settings) {
  Case found;
  std::optional<Sender> sender;
  for (const std::string& one : attempt.recipients) {
    const Recipient recipient = Recipient::parse(one);
    const auto domain = settings.domain(recipient.domain);
    if (!domain) continue;
    if (!exemption(envelope_of(attempt), recipient, domain, settings.gateway).empty()) {
      found.has_exempt = true;
      continue;
    }
    if (!sender) sender = sender_of(attempt, settings);
    found.kind = sender->who.best.kind;
    const auto listed =
        look_up(domain->greylist, settings.gateway.greylist, sender->facts,
                [&] { return confirms(sender->spf, sender->facts.domain); });
    if (listed.ruling == Ruling::allowed ||
        (listed.ruling == Ruling::none && is_spared(*sender, domain->greylist))) {
      found.has_exempt = true;
      continue;
    }
    found.retry_window = domain->greylist.retry_window;
    Terms terms = terms_for(sender->who, domain->greylist);
    terms.only_this_mail = listed.ruling == Ruling::denied;
    found.judged.push_back(
        {keys_of(sender->who, sender->envelope.sender, recipient, domain->name), terms});
  }
  // At DATA there is one answer for all.
  if (attempt.sender.empty() && found.has_exempt) found.judged.clear();
  return found;
}

}  // namespace mxfeed::greylist
