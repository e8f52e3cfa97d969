// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds out what X-Mxfeed-Sender records of the sender of one message: whether the client
// is one of our own, else what SPF says.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/log.h"
#include "common/mail/envelope.h"
#include "common/net/sender_field.h"
#include "common/net/spf_checks.h"
#include "common/policy/domain_policy.h"

namespace mxfeed::spam {

// What SPF is asked about (RFC 7208, 2.3 and 2.4).
struct CheckedIdentity {
  SenderIdentity identity = SenderIdentity::mail_from;
  std::string domain;  // as received; empty if the sender address has none
  bool operator==(const CheckedIdentity&) const = default;
};
CheckedIdentity checked_identity(const Envelope& envelope);

class Sender {
 public:
  // All must outlive it.
  Sender(const Envelope& envelope, const GatewayPolicy& gateway, spf::Checks& checks);

  // Starts the check unless there is none to be made or it has been started.
  void begin_check();

  // Waits for the verdict, up to spf_timeout after the check began.  Nothing if SPF is
  // off.  Counts the result.
  std::optional<SenderCheck> check();

  // Once check() has returned: whether SPF confirms that the client sends for the
  // organisation of the domain, by a record that does not allow anybody.
  bool confirms(std::string_view domain) const;

  // Whether the client is trusted (GatewayPolicy::trust).
  bool is_own() const { return is_own_; }

  // Adds spf, and spf_problem of an error, once check() has returned a result.
  void describe(LogFields& fields) const;

 private:
  const Envelope& envelope_;
  const GatewayPolicy& gateway_;
  spf::Checks& checks_;
  const bool is_own_;
  const CheckedIdentity identity_;
  std::optional<spf::Check> check_;
  std::optional<spf::Verdict> verdict_;
};

}  // namespace mxfeed::spam
