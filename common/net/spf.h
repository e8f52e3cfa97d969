// SPDX-License-Identifier: GPL-2.0-or-later
//
// Sender Policy Framework (RFC 7208): may this client use this domain?
//
//   auto lookup = resolver.by(now + spf::kDefaultBudget);
//   const spf::Verdict verdict = spf::check_mail_from(session, lookup);
//
// Pure but for the questions to `lookup`, which also limits the time: once its deadline
// has passed, all its answers are temporary, and so is the result.  Any number of threads
// may check at once, each with a lookup of its own.  Nothing is thrown but bad_alloc.

#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "common/base/clock.h"
#include "common/mail/address.h"
#include "common/net/dns.h"
#include "common/net/spf_record.h"

namespace mxfeed::spf {

// RFC 7208, 4.6.4: at least 20 s.  Within an SMTP dialog less is better.
constexpr std::chrono::seconds kDefaultBudget{20};
// RFC 7208, 4.6.4.
constexpr unsigned kMaxTerms = 10;       // that ask the DNS
constexpr unsigned kMaxVoidLookups = 2;  // terms whose answer was absent
constexpr std::size_t kMaxNames = 10;    // of one mx or ptr
// Octets of an explanation; a longer one is cut.
constexpr std::size_t kMaxExplanation = 500;

// What the rules are about; all texts as received.
struct Session {
  IpAddress ip;
  std::string helo;
  std::string sender;  // of MAIL FROM, without angle brackets; "" is the null sender
  std::string receiver = "unknown";  // our host's name, for explanations
  Time time{};                       // for explanations
};

struct Verdict {
  Result result = Result::none;
  // The domain that was checked, in lower-case A-labels; as received if it is not a
  // domain.
  std::string domain;
  // The mechanism that matched, without its qualifier, as in the record: "ip4:192.0.2.1";
  // empty if none did.  Of an include, the include.
  std::string mechanism;
  // The mechanism that decided, of an include the one in it, matches anybody: all, or a
  // network larger than any sender has, or a name that does not depend on the client.
  bool is_open = false;
  // Of a fail: the domain owner's words, "" without any.  Printable ASCII, but hostile:
  // to be shown as the sender domain's, not as ours.
  std::string explanation;
  // Why the result is temperror, permerror or none, for logs; hostile, to be escaped.
  std::string problem;
};

// Checks the MAIL FROM identity; of the null sender, postmaster@HELO (2.4).
Verdict check_mail_from(const Session& session, dns::Lookup& lookup);

// Checks the HELO identity (2.3).
Verdict check_helo(const Session& session, dns::Lookup& lookup);

}  // namespace mxfeed::spf
