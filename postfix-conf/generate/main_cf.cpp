// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/main_cf.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "common/base/text.h"
#include "postfix-conf/generate/delivery_filters.h"
#include "postfix-conf/generate/next_hops.h"
#include "postfix-conf/generate/notice_checks.h"
#include "postfix-conf/generate/overlay.h"
#include "postfix-conf/generate/quarantine_services.h"
#include "postfix-conf/generate/recipient_access.h"

namespace mxfeed {
namespace {

using Parameter = std::pair<std::string, std::string>;

// Postfix's own limit (qmgr(8)).  The keeper expires mail; Postfix must not do so before,
// while the keeper waits for an attempt, for the clock or for the operator.
constexpr const char* kLongestLifetime = "100d";
// mailbox_size_limit and virtual_mailbox_limit by default: delivery agents refuse to run
// with a message_size_limit above theirs.
constexpr std::uint64_t kMailboxLimit = 51'200'000;

constexpr const char* kRelayRecipientMaps = "relay_recipient_maps";
// The addresses of all gateways, and those of the site's proxy_interfaces: Postfix does
// not deliver to a host by name that has one of them.
constexpr const char* kGateways = "mxfeed_delivery_gateways";
constexpr const char* kProxies = "mxfeed_delivery_proxies";
constexpr const char* kDnsFilter = "mxfeed_delivery_dns_filter";
constexpr const char* kStatusFilter = "mxfeed_delivery_status_filter";
constexpr const char* kNoticeChecks = "mxfeed_delivery_notice_checks";
// What we note of the sender is for the keeper, not for the customer.
constexpr const char* kHeaderChecks = "mxfeed_delivery_header_checks";
// Of Debian's package ca-certificates; read before smtp(8) enters its chroot.
constexpr const char* kAuthorities = "/etc/ssl/certs/ca-certificates.crt";

std::string our_milters() {
  return fmt::format(
      "{{ {}, default_action=accept, protocol=6, connect_timeout=5s, "
      "command_timeout=10s, content_timeout=20s }}, "
      "{{ {}, default_action=tempfail, protocol=6, connect_timeout=10s, "
      "command_timeout=20s, content_timeout=300s }}, "
      "{{ {}, default_action=accept, protocol=6, connect_timeout=5s, "
      "command_timeout=10s, content_timeout=60s }}",
      kGreylistSocket, kVirusSocket, kSpamSocket);
}

std::string maps_of(const std::string& state, std::string_view type) {
  return fmt::format("{}:{}/current-postfix/", type, state);
}

Parameter relay_recipients(const std::string& state) {
  return {kRelayRecipientMaps, maps_of(state, "cdb") + "relay_recipients, " +
                                   maps_of(state, "regexp") + "relay_recipients.regexp"};
}

std::string milters(const MainCfNeeds& needs) {
  std::vector<std::string> all = needs.verifiers;
  all.push_back(our_milters());
  all.insert(all.end(), needs.sealers.begin(), needs.sealers.end());
  return fmt::format("{}", fmt::join(all, ", "));
}

// What is global in Postfix, and would change other mail.
void add_dedicated(const MainCfNeeds& needs, std::vector<Parameter>& all) {
  const std::vector<Parameter> more = {
      {kRelayRecipientMaps, ""},
      // A domain without a route waits.
      {"relay_transport", "retry:4.3.5 no route configured for this domain"},
      {"parent_domain_matches_subdomains",
       "debug_peer_list, fast_flush_domains, mynetworks, permit_mx_backup_networks, "
       "qmqpd_authorized_clients, smtpd_access_maps"},
      {"smtpd_relay_restrictions",
       "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"},
      // The queue.
      {"enable_long_queue_ids", "yes"},
      {"maximal_queue_lifetime", kLongestLifetime},
      {"bounce_queue_lifetime", kLongestLifetime},
      {"message_size_limit", std::to_string(needs.largest_message)},
      // Clients.
      {"smtpd_forbid_bare_newline", "normalize"},
      {"smtpd_forbid_unauth_pipelining", "yes"},
      {"smtpd_etrn_restrictions", "reject"},
      // Mail accepted with SMTPUTF8 bounces at a server without it, so it is not offered.
      // smtputf8_enable stays on: "no" would bounce queued mail to U-labels.
      {"smtputf8_enable", "yes"},
      {"smtpd_discard_ehlo_keywords", needs.smtputf8 ? "" : "silent-discard, smtputf8"},
      // A recipient of another content class gets 452, which Postfix counts as an error:
      // such a client must not be disconnected before DATA.
      {"smtpd_recipient_limit", "1000"},
      {"smtpd_soft_error_limit", "1100"},
      {"smtpd_hard_error_limit", "1200"},
  };
  all.insert(all.end(), more.begin(), more.end());
  if (needs.largest_message > kMailboxLimit) {
    all.emplace_back("mailbox_size_limit", "0");
    all.emplace_back("virtual_mailbox_limit", "0");
  }
}

// Domains name the first class in recipient_access.  It is there before the first domain
// does: Postfix puts off all mail for a class that it does not know.
void add_classes(const MainCfNeeds& needs, std::vector<Parameter>& all) {
  constexpr const char* kListed = "mxfeed_reject_listed";
  constexpr const char* kAsked = "mxfeed_ask_recipients";
  constexpr const char* kAskedDefer = "mxfeed_ask_recipients_defer";
  all.emplace_back("smtpd_restriction_classes",
                   fmt::format("{}, {}, {}, {}, {}, {}", kBlocklistClass, kListed,
                               kCalloutClass, kAsked, kCalloutDeferClass, kAskedDefer));
  // Complaints must get through, also those about names below a domain.
  const auto unless_role = [&](const char* name, const char* asked) {
    all.emplace_back(
        name,
        fmt::format("check_recipient_access regexp:{{{{!/^(postmaster|abuse)@/ {}}}}}",
                    asked));
  };
  unless_role(kBlocklistClass, kListed);
  // To permit ends the site's list too, for this recipient, which is ours, and clients
  // that may relay anyway.
  std::string value = "permit_mynetworks, permit_sasl_authenticated";
  for (const auto& list : needs.blocklists) value += ", reject_rbl_client " + list;
  all.emplace_back(kListed, std::move(value));
  // The path is below the queue directory.  mxfeed-recipients answers within 6 s; while
  // it does not run, mail for these domains waits at its senders.
  const auto ask = [&](const char* name, std::string_view context) {
    all.emplace_back(
        name,
        fmt::format("check_policy_service {{ unix:mxfeed/recipients.sock, "
                    "timeout=20s, policy_context={}, {{ default_action=450 4.3.0 "
                    "recipient cannot be verified at present, try again later }} }}",
                    context));
  };
  unless_role(kCalloutClass, kAsked);
  ask(kAsked, "accept");
  unless_role(kCalloutDeferClass, kAskedDefer);
  ask(kAskedDefer, "defer");
}

void add_delivery(const MainCfNeeds& needs, std::vector<Parameter>& all) {
  std::vector<IpAddress> addresses;
  for (const auto& host : needs.hosts) {
    addresses.insert(addresses.end(), host.addresses.begin(), host.addresses.end());
  }
  all.emplace_back(kGateways, address_list(addresses));
  all.emplace_back(kDnsFilter, dns_reply_filter(needs.allow_private));
  all.emplace_back(kStatusFilter, delivery_status_filter());
  all.emplace_back(kHeaderChecks, "regexp:{{/^X-Mxfeed-Sender:/ IGNORE}}");
}

// All notices of a dedicated Postfix are ours.
void add_notices(std::vector<Parameter>& all) {
  all.emplace_back(kNoticeServiceParameter, kNoticeService);
  all.emplace_back(kNoticeClassesParameter, "bounce");
  all.emplace_back(kNoticeChecks, notice_checks());
}

// Of both transports: for each of the customers' servers.
void add_limits(const MainCfNeeds& needs, std::vector<Parameter>& all) {
  for (const std::string_view transport : {"mxfeed-relay", "mxfeed-soft"}) {
    if (needs.connections != kPostfixConnections) {
      all.emplace_back(fmt::format("{}_destination_concurrency_limit", transport),
                       std::to_string(needs.connections));
    }
    if (needs.rate_delay.count() > 0) {
      all.emplace_back(fmt::format("{}_destination_rate_delay", transport),
                       fmt::format("{}s", needs.rate_delay.count()));
    }
  }
}

std::string value_of(const Generated& generated, std::string_view wanted) {
  for (const auto& [name, value] : generated.main_cf) {
    if (name == wanted) return value;
  }
  return {};
}

// `options` of both: " -o NAME=VALUE" each.
std::vector<std::string> services(const std::string& options) {
  const auto transport = [&](std::string_view name, std::string_view more) {
    return fmt::format(
        "{} unix - - y - - smtp -o syslog_name=postfix/$service_name "
        "-o smtp_fallback_relay= -o proxy_interfaces=${},${} "
        "-o smtp_dns_reply_filter=${} -o smtp_delivery_status_filter=${} "
        "-o smtp_header_checks=${}{}{}",
        name, kGateways, kProxies, kDnsFilter, kStatusFilter, kHeaderChecks, options,
        more);
  };
  return {transport("mxfeed-relay", ""),
          // What a customer's server answers with 5xx waits.
          transport("mxfeed-soft", " -o soft_bounce=yes")};
}

// Submits a message again, for the provider's postmaster: with its sender, its header
// left as it is (-G), and without bounces to a sender that nobody has verified.  What
// sendmail(1) does not take waits.
std::string provider_service(std::string_view postmaster) {
  return fmt::format(
      "{} unix - n n - - pipe -o syslog_name=postfix/$service_name -o soft_bounce=yes "
      "flags=q null_sender= user=nobody argv=/usr/sbin/sendmail -G -i -N never "
      "-f ${{sender}} -- {}",
      kProviderTransport, postmaster);
}

// Takes the customers' servers out of notices, in all of a report about many recipients.
// The site's own checks and milters do not see notices, as before.  Without a chroot it
// opens the site's tables wherever they are.
std::string notice_service() {
  return fmt::format(
      "{} unix n - n - 0 cleanup -o body_checks=${} -o body_checks_size_limit=0 -o "
      "header_checks= "
      "-o mime_header_checks= -o nested_header_checks= -o non_smtpd_milters=",
      kNoticeService, kNoticeChecks);
}

// What Dovecot refuses waits: a full mailbox may have room again.
constexpr const char* kMailboxService =
    "mxfeed-mailbox unix - - y - - lmtp -o syslog_name=postfix/$service_name "
    "-o soft_bounce=yes -o lmtp_tls_security_level=none -o lmtp_header_checks=";

bool has_service(const std::vector<std::string>& master_cf, std::string_view name) {
  const std::string beginning = fmt::format("{} ", name);
  return std::any_of(master_cf.begin(), master_cf.end(), [&](const std::string& line) {
    return line.starts_with(beginning);
  });
}

std::string bind_option(std::string_view name, std::string_view address) {
  return address.empty() ? "" : fmt::format(" -o {}={}", name, address);
}

// To the first address of each family.
std::string bind_options(const HostConfig* local) {
  if (local == nullptr) return {};
  const auto bind = [&](std::string_view name, bool v4) {
    const auto found =
        std::find_if(local->addresses.begin(), local->addresses.end(),
                     [v4](const IpAddress& address) { return address.is_v4() == v4; });
    return found == local->addresses.end() ? "" : bind_option(name, found->str());
  };
  return bind("smtp_bind_address", true) + bind("smtp_bind_address6", false);
}

}  // namespace

std::vector<Parameter> main_cf_parameters(const MainCfNeeds& needs) {
  const std::string maps = maps_of(needs.state, "cdb");
  std::vector<Parameter> all = {
      {"relay_domains", maps + "relay_domains"},
      {"transport_maps",
       fmt::format("cdb:{}, {}{}transport", overlay_path(needs.state).string(),
                   needs.quarantine.is_elsewhere()
                       ? fmt::format("${}, ", kQuarantineRouteParameter)
                       : "",
                   maps)},
      {kMiltersParameter, milters(needs)},
      {kRecipientsParameter,
       fmt::format("check_recipient_access cdb:{}, check_recipient_access {}{}",
                   intake_overlay_path(needs.state).string(), maps,
                   kRecipientAccess.name)},
      {kEtrnParameter, "check_client_access " + maps + kEtrnClients.name}};
  add_classes(needs, all);
  add_delivery(needs, all);
  add_quarantine_parameters(needs.quarantine, all);
  add_limits(needs, all);
  if (needs.dedicated) {
    add_notices(all);
    add_dedicated(needs, all);
  }
  return all;
}

std::vector<IpAddress> gateway_addresses(const Generated& generated) {
  std::vector<IpAddress> addresses;
  const std::string value = value_of(generated, kGateways);
  for (const auto part : split(value, ',')) {
    auto item = trim(part);
    if (item.starts_with('[') && item.ends_with(']')) {
      item = item.substr(1, item.size() - 2);
    }
    if (const auto address = IpAddress::parse(item)) addresses.push_back(*address);
  }
  return addresses;
}

std::vector<std::string> master_cf_services(const MasterCfNeeds& needs) {
  std::string options = fmt::format(
      " -o smtp_tls_security_level=may -o smtp_tls_fingerprint_digest=sha256 "
      "-o smtp_tls_policy_maps={}{}",
      maps_of(needs.state, "cdb"), kTlsPolicy.name);
  if (needs.uses_authorities) {
    options += fmt::format(" -o smtp_tls_CAfile={}", kAuthorities);
  }
  const std::string bind = bind_options(needs.local);
  auto all = services(bind + options);
  if (!needs.postmaster.empty()) all.push_back(provider_service(needs.postmaster));
  if (needs.dedicated) all.push_back(notice_service());
  all.emplace_back(kMailboxService);
  add_quarantine_services(needs.quarantine, bind, all);
  return all;
}

bool has_provider(const std::vector<std::string>& master_cf) {
  return has_service(master_cf, kProviderTransport);
}

bool has_notices(const std::vector<std::string>& master_cf) {
  return has_service(master_cf, kNoticeService);
}

void fit_site(Generated& generated, const Site& site, const std::string& state) {
  // Behind those of the configuration.
  auto& trusted = generated.gateway.trusted_networks;
  const auto& old = generated.site.mynetworks;
  if (trusted.size() >= old.size() &&
      std::equal(old.rbegin(), old.rend(), trusted.rbegin())) {
    trusted.erase(trusted.end() - static_cast<std::ptrdiff_t>(old.size()), trusted.end());
  }
  trusted.insert(trusted.end(), site.mynetworks.begin(), site.mynetworks.end());
  generated.site = site;
  std::erase_if(generated.main_cf,
                [](const Parameter& one) { return one.first == kProxies; });
  generated.main_cf.emplace_back(kProxies, site.proxies);
  // A dedicated one is set as we need it.
  if (generated.use.dedicated) {
    generated.site.has_relay_recipients = generated.site.parents_match = false;
    return;
  }
  std::erase_if(generated.main_cf,
                [](const Parameter& one) { return one.first == kRelayRecipientMaps; });
  if (site.has_relay_recipients) generated.main_cf.push_back(relay_recipients(state));
}

void upgrade_main_cf(Generated& generated) {
  if (!value_of(generated, kMiltersParameter).empty()) return;
  const std::string bind =
      bind_option("smtp_bind_address", value_of(generated, "smtp_bind_address")) +
      bind_option("smtp_bind_address6", value_of(generated, "smtp_bind_address6"));
  constexpr std::string_view kGone[] = {"smtp_bind_address",   "smtp_bind_address6",
                                        "smtp_fallback_relay", "milter_default_action",
                                        "milter_protocol",     "smtpd_milters"};
  std::erase_if(generated.main_cf, [&](const Parameter& one) {
    return std::find(std::begin(kGone), std::end(kGone), one.first) != std::end(kGone);
  });
  generated.main_cf.emplace_back(kMiltersParameter, our_milters());
  generated.master_cf = services(bind);
  generated.use.dedicated = true;
}

}  // namespace mxfeed
