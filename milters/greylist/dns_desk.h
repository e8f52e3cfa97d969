// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the DNS says of the senders, as far as it is known in time.

#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "common/mail/envelope.h"
#include "common/net/spf_checks.h"
#include "common/policy/domain_policy.h"
#include "common/store/breaker.h"

namespace mxfeed::greylist {

// Begins SPF checks while the DNS answers.  After kTimeouts of them in a row that got no
// answer in time, none is begun for kRest: no sender waits for a DNS that is away.
// Thread-safe.
//
// Metrics: mxfeed_greylist_spf_total{result=}, mxfeed_greylist_spf_resting
class DnsDesk {
 public:
  static constexpr unsigned kTimeouts = 20;
  static constexpr auto kRest = std::chrono::seconds(15);

  using Lookups = spf::Checks::Lookups;

  // `checks` outlives it; `lookups` answer other questions.
  DnsDesk(spf::Checks& checks, Lookups lookups)
      : checks_(checks), lookups_(std::move(lookups)) {}

  // Nothing if there is none to be made.
  std::optional<spf::Check> begin(const Envelope& envelope, const GatewayPolicy& gateway);

  // Whether the client is a host that takes mail for the domain, as far as it can be
  // found out by the deadline.
  bool is_mail_host(std::string_view domain, const Client& client,
                    spf::Checks::Instant deadline) const;

  // Waits for the verdict, up to the deadline of the check.
  spf::Verdict end(spf::Check check);

 private:
  spf::Checks& checks_;
  const Lookups lookups_;
  Breaker breaker_{kTimeouts, kRest};
};

}  // namespace mxfeed::greylist
