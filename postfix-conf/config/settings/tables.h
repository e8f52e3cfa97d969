// SPDX-License-Identifier: GPL-2.0-or-later
//
// The settings tables, one for each table of the configuration.

#pragma once

#include <chrono>
#include <cstdint>

#include "postfix-conf/config/setting.h"

namespace mxfeed {

inline constexpr std::uint64_t kMostQuota = std::uint64_t{1} << 40;
// How long the quarantine keeps what it holds.
inline constexpr std::chrono::hours kLeastHeld{1};
inline constexpr std::chrono::hours kMostHeld{24 * 365};

// domains.d/*.toml; domain_settings() also in [defaults], [defaults.feed] and
// [defaults.backup] of mxfeed.toml.
Settings<CustomerConfig> customer_settings();
Settings<DomainSettings> domain_settings();
Settings<DomainSettings> domain_greylist_settings();
Settings<DomainSettings> domain_virus_settings();
Settings<DomainSettings> domain_spam_settings();
Settings<MailboxConfig> domain_mailbox_settings();  // [[domain.mailbox]]

// mxfeed.toml
Settings<GatewayConfig> gateway_settings();
Settings<GatewayConfig> greylist_settings();
Settings<GatewayConfig> virus_settings();
Settings<GatewayConfig> spam_settings();
Settings<GatewayConfig> blocklists_settings();
Settings<GatewayConfig> redis_settings();
Settings<HostConfig> host_settings();
Settings<RecipientCommand> recipient_command_settings();

// Readers of single keys that need more than a line.
void read_servers(const Entry& entry, const Setting<DomainSettings>& row,
                  DomainSettings& settings);
void read_recipients(const Entry& entry, const Setting<DomainSettings>& row,
                     DomainSettings& settings);
void read_domain_spam(const Entry& entry, const Setting<DomainSettings>& row,
                      DomainSettings& settings);
void read_tls(const Entry& entry, const Setting<DomainSettings>& row,
              DomainSettings& settings);
void read_greylist(const Entry& entry, const Setting<GatewayConfig>& row,
                   GatewayConfig& gateway);
void read_redis(const Entry& entry, const Setting<GatewayConfig>& row,
                GatewayConfig& gateway);

}  // namespace mxfeed
