// SPDX-License-Identifier: GPL-2.0-or-later
//
// The parameters and services that Postfix needs for a configuration.

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "postfix-conf/config/config.h"
#include "postfix-conf/generate/quarantine_services.h"
#include "postfix-conf/generate/rows.h"
#include "postfix-conf/generate/site.h"

namespace mxfeed {

// The parameter that lists the milters.  Services of port 25 use it as their
// smtpd_milters.
inline constexpr const char* kMiltersParameter = "mxfeed_smtpd_milters";
// The restrictions that come before those of the site in their
// smtpd_recipient_restrictions and smtpd_etrn_restrictions.
inline constexpr const char* kRecipientsParameter = "mxfeed_recipient_restrictions";
inline constexpr const char* kEtrnParameter = "mxfeed_etrn_restrictions";
// What the parameters of our transports begin with, which mail that waits needs.
inline constexpr const char* kDeliveryParameters = "mxfeed_delivery_";

// What the parameters of notices to senders begin with, and the service of master.cf that
// takes notices from bounce(8).  Only a dedicated Postfix has them.
inline constexpr const char* kNoticeParameters = "mxfeed_delivery_notice";
inline constexpr const char* kNoticeService = "mxfeed-notices";
// What options of bounce(8) refer to.
inline constexpr const char* kNoticeServiceParameter = "mxfeed_delivery_notice_service";
inline constexpr const char* kNoticeClassesParameter = "mxfeed_delivery_notice_classes";

// The addresses of all gateways that the parameters name.
std::vector<IpAddress> gateway_addresses(const Generated& generated);

// The sockets of our milters, as a chrooted smtpd(8) sees them.
inline constexpr const char* kGreylistSocket = "unix:mxfeed/greylist.sock";
inline constexpr const char* kVirusSocket = "unix:mxfeed/virus.sock";
inline constexpr const char* kSpamSocket = "unix:mxfeed/spam.sock";

// Where Dovecot takes mail for mailboxes by LMTP, below the queue directory, and the
// route there.
inline constexpr const char* kMailboxSocket = "mxfeed/mailbox.sock";
inline constexpr const char* kMailboxRoute = "mxfeed-mailbox:unix:mxfeed/mailbox.sock";

// The settings that the parameters follow from.
struct MainCfNeeds {
  std::string state;  // the absolute path of --state
  bool dedicated = false;
  std::vector<std::string> verifiers, sealers;
  bool smtputf8 = false;
  std::uint64_t largest_message = 0;
  std::vector<std::string> blocklists;  // "zen.example=127.0.0.[2..11]"
  std::vector<HostConfig> hosts;        // all gateways
  std::vector<Network> allow_private;
  unsigned connections = kPostfixConnections;
  std::chrono::seconds rate_delay{0};
  QuarantineSite quarantine{};
};

// The values of relay_domains, transport_maps, relay_recipient_maps and
// smtpd_restriction_classes are to be appended to those of the site; the other values
// replace them.
std::vector<std::pair<std::string, std::string>> main_cf_parameters(
    const MainCfNeeds& needs);

struct MasterCfNeeds {
  std::string state;                  // the absolute path of --state
  const HostConfig* local = nullptr;  // this host; null if it is unknown
  bool uses_authorities = false;      // certificates are verified
  std::string postmaster{};           // the provider's; empty: none
  bool dedicated = false;
  QuarantineSite quarantine{};
};

// The services that master.cf needs besides Postfix's own.
std::vector<std::string> master_cf_services(const MasterCfNeeds& needs);

// The transport that sends mail to the provider's postmaster.
inline constexpr const char* kProviderTransport = "mxfeed-provider";
// Whether the services of a generation include it.
bool has_provider(const std::vector<std::string>& master_cf);

// Whether they include the service that takes notices.
bool has_notices(const std::vector<std::string>& master_cf);

// Adapts a generation to the site.  `state` is the absolute path of --state.
void fit_site(Generated& generated, const Site& site, const std::string& state);

// Converts parameters and services that version 0.1.0 wrote, always for a dedicated
// Postfix.
void upgrade_main_cf(Generated& generated);

}  // namespace mxfeed
