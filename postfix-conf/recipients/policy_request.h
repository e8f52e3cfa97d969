// SPDX-License-Identifier: GPL-2.0-or-later
//
// Postfix's policy delegation protocol (SMTPD_POLICY_README): lines "name=value" and an
// empty line; the answer is a line "action=..." and an empty line.  Pure.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/mail/address.h"
#include "postfix-conf/recipients/knowledge.h"

namespace mxfeed::recipients {

// What a request is about.
inline constexpr std::string_view kAccess = "smtpd_access_policy";
// A message was delivered to the recipient.  Not of Postfix's protocol.
inline constexpr std::string_view kDelivered = "mxfeed_delivered";

// The attributes that count here; empty if they are missing.
struct PolicyRequest {
  std::string request;
  std::string protocol_state;  // "RCPT"
  std::string recipient;       // unquoted, as received
  std::string policy_context;  // of the restriction: "defer", or anything else
  std::string instance;        // the same for all requests of a message
  bool operator==(const PolicyRequest&) const = default;
};

struct ParsedRequest {
  enum class State { whole, partial, malformed };
  // Longer ones are malformed.
  static constexpr std::size_t kMaxLine = 8 * 1024;
  static constexpr std::size_t kMaxTotal = 64 * 1024;

  State state = State::partial;
  PolicyRequest request;  // if whole
  std::size_t used = 0;   // if whole: how many of the octets it has
  std::string problem;    // if malformed
};

// The first request in the octets.  Of an attribute with two values the first counts.
ParsedRequest parse_policy_request(std::string_view received);

// What Postfix is to do.  Names no server of the customer.
std::string render_policy_reply(Verdict verdict);
// What it is to do with a request that is not about a recipient: nothing.
std::string render_no_opinion();

// A recipient as the customer's server is asked about it.
class Recipient {
 public:
  // Takes what PolicyRequest::recipient has.  Nothing if no server could have it: no
  // domain name, or characters that RFC 5321 and 6531 do not allow in a local part.
  static std::optional<Recipient> parse(std::string_view text);

  const std::string& local_part() const { return local_part_; }
  const std::string& domain() const { return domain_; }  // A-labels
  // Whether it takes SMTPUTF8 (RFC 6531) to name it.
  bool needs_smtputf8() const;
  // "info@acme.example", quoted where it must be: for RCPT TO.
  std::string str() const;
  // The same for all spellings in upper and lower case: servers make no difference, and
  // senders would get a call-out for each.
  std::string key() const;

 private:
  Recipient(std::string local_part, std::string domain)
      : local_part_(std::move(local_part)), domain_(std::move(domain)) {}
  std::string local_part_;
  std::string domain_;
};

}  // namespace mxfeed::recipients
