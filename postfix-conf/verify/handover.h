// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a customer must know and do, before a domain goes live.  Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "postfix-conf/config/config.h"
#include "postfix-conf/verify/dns_records.h"
#include "postfix-conf/verify/sheet.h"

namespace mxfeed {

// The customer's mail system, for which there are steps.
enum class MailSystem : std::uint8_t { any, exchange, m365, google, postfix };

std::string_view to_string(MailSystem value);
std::optional<MailSystem> parse_mail_system(std::string_view text);

// The records to publish, the addresses to allow and to trust, the settings in force, the
// customer's duties, how to test; with the steps for `system`.
Sheet handover_sheet(const Config& config, const DomainConfig& domain,
                     const DnsAdvice& records, MailSystem system);

}  // namespace mxfeed
