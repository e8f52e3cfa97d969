// SPDX-License-Identifier: GPL-2.0-or-later
//
// The mailboxes of an address list: what From, To or Reply-To hold.  Takes any bytes, in
// linear time.  Pure, thread-safe; does not throw.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mxfeed {

struct Mailbox {
  std::string display;  // decoded, quoting removed, UTF-8
  std::string address;  // as written, white space removed; not checked
};

// The mailboxes of an address list (RFC 5322, 3.4), names of groups skipped; at most
// `most`.
std::vector<Mailbox> parse_mailboxes(std::string_view value, std::size_t most = 100);

}  // namespace mxfeed
