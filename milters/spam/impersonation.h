// SPDX-License-Identifier: GPL-2.0-or-later
//
// Mail in the name of somebody whom the domain has named: [domain.senders] protect. Pure.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "milters/spam/evidence/evidence.h"
#include "milters/spam/evidence/message.h"

namespace mxfeed::spam {

// `people` are "Name <address>"; several entries of one name are his addresses.  Found if
// an author in From has the name, but none of its addresses, unless replies go to one:
// calendars and web forms send so for others.
std::optional<Evidence> impersonation(const std::vector<std::string>& people,
                                      const Message& message);

}  // namespace mxfeed::spam
