// SPDX-License-Identifier: GPL-2.0-or-later
//
// Host names in links, addresses and text from senders.  Pure, linear time.

#pragma once

#include <string>
#include <string_view>

namespace mxfeed::spam {

// The host name that the text begins with, in lower case and A-labels; trailing '.', '-'
// and '_' are not taken.  Empty if there is none.
std::string leading_host(std::string_view text);

// The host of an http or https URL, or of what looks like one ("www.example.org/x"),
// without user and port; an address in brackets keeps its brackets.  Empty if it is
// neither.
std::string host_of(std::string_view url);

// Whether both were probably registered by the same organisation: the last two labels are
// equal, or the last three below domains like "co.uk".
bool is_same_site(std::string_view host, std::string_view other);

}  // namespace mxfeed::spam
