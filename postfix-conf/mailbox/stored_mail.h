// SPDX-License-Identifier: GPL-2.0-or-later
//
// A message as Dovecot's LMTP has stored it: a block of fields in front of what came.
//
//   Return-Path: <anna@sender.example>
//   Delivered-To: info@acme.example
//   Received: from localhost by mx1.isp.example with LMTP ...
//   ...what came
//
// The sender may have written such fields too; only those at the very beginning are
// Dovecot's.  Pure.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mxfeed {

// The first field of what came, if it is a copy of a message in the queue; its value is
// the queue id.
inline constexpr std::string_view kCopyField = "X-Mxfeed-Copy";

struct StoredMail {
  std::string sender;     // of the envelope; empty for the null sender
  std::size_t begin = 0;  // of what came
  bool is_copy = false;
};

// Nothing if the text does not begin with the block: somebody else has put it there.
std::optional<StoredMail> parse_stored(std::string_view text);

}  // namespace mxfeed
