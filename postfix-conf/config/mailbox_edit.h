// SPDX-License-Identifier: GPL-2.0-or-later
//
// Adds mailboxes to a domain in the text of its file, and changes their passwords; every
// other byte stays.  Whether the new text means what it should is for the caller to
// check.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/config/config.h"

namespace mxfeed {

// As [[domain.mailbox]] at the end of the domain with that line.
std::string add_mailboxes(std::string_view text, std::uint32_t domain_line,
                          const std::vector<MailboxConfig>& mailboxes);

// Nothing if an operator must do it.
std::optional<std::string> set_mailbox_password(std::string_view text,
                                                std::uint32_t domain_line,
                                                const MailboxConfig& mailbox);

}  // namespace mxfeed
