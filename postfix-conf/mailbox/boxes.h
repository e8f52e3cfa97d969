// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which mailbox a recipient has, and where its mail is.  Pure.

#pragma once

#include <string>
#include <string_view>

#include "postfix-conf/generate/rows.h"

namespace mxfeed {

// Below --state: DOMAIN/USER/Maildir.
inline constexpr const char* kMailboxDirectory = "mailboxes";

// "info@acme.example": the mailbox in the domain for an address in it or below it.
// Without one of its own, also none for what stands before a "+", the one of
// kCatchAllUser.
std::string mailbox_for(const Generated& generated, std::string_view domain,
                        std::string_view address);

}  // namespace mxfeed
