// SPDX-License-Identifier: GPL-2.0-or-later
//
// Host names in what a sender wrote: links, addresses, text.  Pure, linear time.

#pragma once

#include <string>
#include <string_view>

namespace mxfeed::spam {

// The host name that the text begins with, in lower case, A-labels where it has any; what
// no host name ends with ('.', '-', '_') is not taken.  Empty if there is none.
std::string leading_host(std::string_view text);

// The host of an http or https URL, or of what looks like one ("www.example.org/x"),
// without user and port; an address in brackets keeps them.  Empty if it is neither.
std::string host_of(std::string_view url);

// Whether one organisation has probably registered both: the last two labels are equal,
// three below the likes of "co.uk".
bool is_same_site(std::string_view host, std::string_view other);

}  // namespace mxfeed::spam
