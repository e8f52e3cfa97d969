// SPDX-License-Identifier: GPL-2.0-or-later
//
// bench_greylist_decider WHEN: decides as mxfeed-greylist does, with a store in memory
// and the time that it is told.  WHEN is "always" or "suspicious".
//
// One attempt to deliver a message is one line on standard input, fields separated by
// tabs:
//   time in s, client address, confirmed name or "", SPF result, SPF domain, sender or
//   "", recipients separated by commas
// and one line is the answer: a word, a space, the reason.
//   accept      all recipients are taken
//   defer       all get a 4xx at RCPT
//   defer-data  they are taken at RCPT, the message gets a 4xx after DATA
// An empty line starts with an empty store, and is answered by an empty line.

#include <cstdio>
#include <iostream>
#include <optional>
#include <string>

#include "common/base/text.h"
#include "milters/greylist/exemption.h"
#include "milters/greylist/identity.h"
#include "milters/greylist/key.h"
#include "milters/greylist/stores/store.h"

namespace {

using namespace mxfeed;
using namespace mxfeed::greylist;

struct Answer {
  std::string_view verdict = "accept";
  std::string_view reason = "exempt";
};

std::string_view reason_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::first_seen:
      return "first-seen";
    case Outcome::too_early:
      return "too-early";
    case Outcome::flood:
      return "flood";
    case Outcome::passed:
      return "passed";
    case Outcome::known:
      return "known";
    case Outcome::known_identity:
      return "known-identity";
  }
  return "";
}

struct Attempt {
  Time now;
  Envelope envelope;
  spf::Verdict spf;
  std::string_view recipients;
};

// The order of things is that of filter.cpp: the first greylisted recipient decides.
Answer answer(Store& store, const Attempt& attempt, const DomainPolicy& like) {
  const GatewayPolicy gateway;
  const Envelope& envelope = attempt.envelope;
  const Identities who =
      identities_of(envelope.client, envelope.sender, attempt.spf, gateway.greylist);
  Answer answer;
  std::optional<bool> let_through;
  for (const auto address : split(attempt.recipients, ',')) {
    const auto recipient = Recipient::parse(address);
    DomainPolicy domain = like;
    domain.name = recipient.domain;
    if (!exemption(envelope, recipient, domain, gateway).empty()) continue;
    if (domain.greylist.when == GreylistWhen::suspicious && who.is_verified()) continue;
    const Terms terms = terms_for(who, domain.greylist);
    const auto decision = store.update(
        keys_of(who, envelope.sender, recipient, domain.name),
        [&](const Look& look) {
          return let_through ? follow(look, attempt.now, terms, *let_through)
                             : decide(look, attempt.now, terms);
        },
        Deadline::max());
    if (let_through) continue;
    let_through = decision.lets_through();
    const std::string_view deferred = envelope.sender.empty() ? "defer-data" : "defer";
    answer = {*let_through ? "accept" : deferred, reason_of(decision.outcome)};
    if (decision.outcome == Outcome::known_identity) break;
  }
  return answer;
}

spf::Result result_of(std::string_view word) {
  for (const auto result :
       {spf::Result::pass, spf::Result::fail, spf::Result::temperror}) {
    if (word == spf::to_string(result)) return result;
  }
  return spf::Result::none;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view when = argc == 2 ? argv[1] : "";
  if (when != "always" && when != "suspicious") {
    std::cerr << "usage: bench_greylist_decider always|suspicious\n";
    return 2;
  }
  DomainPolicy like;
  like.content_class = 1;
  like.greylist.when = when == "always" ? GreylistWhen::always : GreylistWhen::suspicious;
  auto store = open_memory_store();
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) {
      store = open_memory_store();
      std::cout << std::endl;
      continue;
    }
    const auto fields = split(line, '\t');
    Attempt attempt;
    Envelope& envelope = attempt.envelope;
    envelope.client.address =
        fields.size() == 7 ? IpAddress::parse(fields[1]) : std::nullopt;
    if (!envelope.client.address) {
      std::cerr << "malformed line: " << line << '\n';
      return 1;
    }
    envelope.client.name = fields[2];
    envelope.sender = fields[5];
    attempt.spf.result = result_of(fields[3]);
    attempt.spf.domain = fields[4];
    attempt.now = Time{std::chrono::seconds(parse_unsigned(fields[0]).value_or(0))};
    attempt.recipients = fields[6];
    const Answer found = answer(*store, attempt, like);
    std::cout << found.verdict << ' ' << found.reason << std::endl;
  }
}
