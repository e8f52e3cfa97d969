// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a Postfix does besides being a gateway.  Pure.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/address.h"
#include "postfix-conf/postfix/attach/conflicts.h"

namespace mxfeed {

// The settings in which it differs from Debian's defaults, as far as they show that mail
// of other uses passes through it: "relay_domains = hash:/etc/postfix/relay", one line
// each.  Nothing: it has no other use.  `name` and `addresses` are those of the host.
std::vector<std::string> other_uses(const SiteView& site, std::string_view name,
                                    std::span<const IpAddress> addresses);

// The milters of the services on port 25, as they stand in smtpd_milters, each once.
std::vector<std::string> milters_of(const PostfixSettings& settings);

// Whether no other host can connect.
bool listens_on_loopback_only(const PostfixSettings& settings);

}  // namespace mxfeed
