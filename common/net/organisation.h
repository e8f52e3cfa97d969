// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which organisation a name belongs to, by the public suffix list (publicsuffix.org) that
// Debian keeps up to date: the package publicsuffix, else the copy in libpsl.

#pragma once

#include <string>
#include <string_view>

namespace mxfeed {

// The public suffix and one label more: "example.co.uk" of "mx1.example.co.uk".  A name
// that is a public suffix, an address literal and anything else stand for themselves.
// `name` is in lower case, A-labels or U-labels as they are.  The list is read once, at
// the first call.  Thread-safe.
std::string organisation_of(std::string_view name);

}  // namespace mxfeed
