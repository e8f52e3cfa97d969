// SPDX-License-Identifier: GPL-2.0-or-later
//
// What verifiers before us found out about who sent a message: DKIM, DMARC and ARC.  They
// write it into Authentication-Results; so may any sender, in our name too.  Pure.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/authentication_results.h"
#include "common/mail/edits.h"
#include "common/net/spf_record.h"
#include "common/policy/domain_policy.h"
#include "milters/spam/evidence/evidence.h"

namespace mxfeed::spam {

// What the domain asks for where DMARC fails (RFC 9989).
enum class DmarcWish : std::uint8_t { nothing, quarantine, reject };

// The results that count.  Domains are in lower case.
struct Authentication {
  bool has_verifier = false;         // [spam] authserv_id names one
  bool reports_dkim = false;         // and it has looked for signatures
  bool has_bad_signature = false;    // at least one, and none is good
  std::vector<std::string> signers;  // of the good signatures
  std::string dmarc;                 // "pass", "fail"; empty if it is not reported
  std::string author;                // the domain in From that DMARC was asked about
  DmarcWish wish = DmarcWish::nothing;
  std::string sealer;  // a trusted one, whose seal passed and who had seen DMARC pass

  bool passes_dmarc() const { return dmarc == "pass" || !sealer.empty(); }
  // Whether the message comes from the organisation of the domain.
  bool confirms(std::string_view domain) const;
  // For the log and `mxfeed spam explain`.
  std::string str() const;
};

// Reads the fields of a header.
//
// Verifiers put their results on top, so results count only above the first field that
// the sender supplied.  He may have supplied such a field on top, too: of a method only
// the topmost field that reports it counts, and only of methods that a verifier always
// reports, even that there is nothing to verify: [spam] authserv_results.
class VerifierFields {
 public:
  // Whom to believe (RFC 8601, 5; RFC 8617).  `spam` must outlive it.
  explicit VerifierFields(const GatewayPolicy::Spam& spam) : spam_(spam) {}

  // To be called for each field of the header, in order.
  void field(std::string_view name, std::string_view value);

  Authentication result() const;
  // Removes the fields that claim to be a verifier's and do not count; returns how many.
  std::size_t remove_forged(MessageEdits& edits) const;

 private:
  void see_results(std::string_view value);
  std::string trusted_sealer(std::string_view& sealed) const;

  const GatewayPolicy::Spam& spam_;
  bool below_ = false;               // the first field that the sender supplied
  unsigned count_ = 0;               // of the fields Authentication-Results
  std::vector<unsigned> forged_;     // which of them, from 1
  std::vector<MethodResult> found_;  // that count
  std::set<std::string> methods_;    // that have been reported
  std::vector<std::string> seals_;   // ARC-Seal
  std::vector<std::string> sealed_;  // ARC-Authentication-Results
};

// `spf` is that of our own check.
std::vector<Evidence> evidence_of(const Authentication& authentication,
                                  std::optional<spf::Result> spf);

}  // namespace mxfeed::spam
