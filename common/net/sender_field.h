// SPDX-License-Identifier: GPL-2.0-or-later
//
// The header field in which mxfeed-spam records at reception how far the sender of a
// message can be trusted, for whoever later has to decide on a bounce.
//
//   X-Mxfeed-Sender: spf=pass smtp.mailfrom=example.org
//   X-Mxfeed-Sender: spf=none smtp.helo=mx.example.org
//   X-Mxfeed-Sender: spf=softfail smtp.mailfrom=example.org dmarc=pass
//   X-Mxfeed-Sender: own
//
// mxfeed-virus has removed every copy that came from outside.  Pure; takes any bytes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/net/spf_record.h"

namespace mxfeed {

constexpr std::string_view kSenderField = "X-Mxfeed-Sender";
// A longer value is not one of ours.
constexpr std::size_t kMaxSenderField = 1000;

enum class SenderIdentity : std::uint8_t { mail_from, helo };

struct SenderCheck {
  // Nothing for mail of a client of our own (authenticated or in a trusted network),
  // which is not checked.
  std::optional<spf::Result> spf;
  // HELO if the sender is the null sender (RFC 7208, 2.4).
  SenderIdentity identity = SenderIdentity::mail_from;
  // The domain that was checked, in lower-case A-labels; empty if it is not a valid one.
  std::string domain;
  // A verifier of the site found that the message comes from the organisation of that
  // domain, which is the sender's.
  bool dmarc = false;

  // Whether a bounce may go to the sender: the message came from an own client, which we
  // answer for, or its sender's domain allows the client or has signed the message.  A
  // trusted network with servers that forward mail of others is not kept apart.  The null
  // sender never is.
  bool is_verified() const;
  bool operator==(const SenderCheck&) const = default;
};

// `domain` may be any bytes; what is not a domain name is left out.
SenderCheck sender_check(spf::Result result, SenderIdentity identity,
                         std::string_view domain);

// The value of the field.
std::string compose(const SenderCheck& check);

// Takes a value as it stands in a message, folded or not.  Words that a later version may
// add are skipped.  Nothing if it is not such a value.
std::optional<SenderCheck> parse_sender_check(std::string_view value);

// Of a value; false also for one that cannot be parsed.
bool is_verified(std::string_view value);

}  // namespace mxfeed
