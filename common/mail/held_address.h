// SPDX-License-Identifier: GPL-2.0-or-later
//
// The addresses of the quarantine.  A milter that holds a message for a recipient
// exchanges the recipient for one of these; Postfix delivers it to mxfeed-quarantine,
// which learns from the address alone what it holds, and for whom.
//
//   virus.TOKEN.DOMAIN.REASON.RECIPIENT@quarantine.mxfeed.invalid   a held message
//   released.TOKEN@quarantine.mxfeed.invalid                        a receipt
//
// DOMAIN, REASON and RECIPIENT are in hexadecimal: no quoting, no case, no bytes that
// Postfix would rewrite.  A message that is released goes to its recipient and to a
// receipt in one transaction; Postfix takes both or neither.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mxfeed {

// Reserved (RFC 2606, 2): no mail system has it.
inline constexpr std::string_view kQuarantineDomain = "quarantine.mxfeed.invalid";
// Its first parameter is what has held the message; see OwnFields.
inline constexpr std::string_view kQuarantineField = "X-Mxfeed-Quarantine";

enum class HeldKind : std::uint8_t {
  virus,
  attachment,
  spam,
  // Held until `mxfeed spam learn --held` has learned from it:
  trap,         // the message is spam
  report_spam,  // the messages attached to it are spam
  report_ham,   // they are wanted
  // Not held for a reason: the mail of a mailbox, on its way to the customer's server.
  mailbox
};
std::string_view to_string(HeldKind kind);
std::optional<HeldKind> parse_held_kind(std::string_view text);
// Whether it is for the spam classifier to learn from, and not somebody's mail.
bool teaches(HeldKind kind);

// A name that nobody guesses, 32 hexadecimal digits.  Throws Fault.
std::string random_token();
bool is_token(std::string_view text);

struct HeldAddress {
  static constexpr std::size_t kMaxReason = 120;  // the rest is cut off
  static constexpr std::size_t kMaxDomain = 255;
  static constexpr std::size_t kMaxRecipient = 512;

  HeldKind kind = HeldKind::virus;
  std::string token;      // of the message: the same for all of its recipients
  std::string domain;     // of ours, in whose quarantine it is
  std::string reason;     // any bytes; if empty, Postfix quotes the address
  std::string recipient;  // the argument of RCPT, without angle brackets

  // "virus.….…@quarantine.mxfeed.invalid"
  std::string str() const;
  // From a local part; nothing if str() does not make it.
  static std::optional<HeldAddress> parse(std::string_view local_part);
  bool operator==(const HeldAddress&) const = default;
};

// Whether a recipient can be exchanged, and later be sent to as it was: an address with a
// domain, without quoting, routes or comments, which Postfix reads as it stands.
bool is_exchangeable(std::string_view recipient);

std::string receipt_address(std::string_view token);
// The token of a receipt; nothing if the local part is not that of one.
std::optional<std::string> parse_receipt(std::string_view local_part);

}  // namespace mxfeed
