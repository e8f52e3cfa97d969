// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/quarantine_services.h"

#include <fmt/format.h>

#include "common/mail/held_address.h"

namespace mxfeed {
namespace {

constexpr const char* kClients = "mxfeed_quarantine_clients";
constexpr const char* kRecipients = "mxfeed_quarantine_recipients";
constexpr const char* kHostTransport = "mxfeed-quarantine-host";
constexpr const char* kIntakeCleanup = "mxfeed-quarantine-cleanup";

// The domain in a regular expression; `$` is doubled for main.cf.
std::string domain_pattern() {
  std::string pattern = "@";
  for (const char c : kQuarantineDomain) {
    if (c == '.') pattern += '\\';
    pattern += c;
  }
  return pattern + "$$/";
}

// Receipts belong to the host that has released the message.
std::string receipt_pattern() {
  return "/^released\\.[^@]*" + domain_pattern();
}

// The transport to mxfeed-quarantine.  Whatever that answers, the mail waits.  Lines are
// not broken: a signature may cover them.
std::string local_transport() {
  return "mxfeed-quarantine unix - - y - - lmtp -o syslog_name=postfix/$service_name "
         "-o soft_bounce=yes -o lmtp_line_length_limit=0 -o lmtp_header_checks= "
         "-o lmtp_tls_security_level=none";
}

// Takes what the quarantine releases.  Its socket can be reached by root and by Postfix
// only; smtpd(8) takes such a client for 127.0.0.1.  One process: when it takes a new
// client, what the client before has sent is queued, or never will be.
std::string release_service() {
  return "mxfeed-release unix - - y - 1 smtpd -o syslog_name=postfix/$service_name "
         "-o smtpd_milters= -o smtpd_proxy_filter= -o content_filter= "
         "-o mynetworks=127.0.0.0/8 "
         "-o smtpd_client_restrictions= -o smtpd_helo_restrictions= "
         "-o smtpd_sender_restrictions= -o "
         "smtpd_relay_restrictions=permit_mynetworks,reject "
         "-o smtpd_recipient_restrictions=permit_mynetworks,reject -o "
         "smtpd_data_restrictions= "
         "-o smtpd_end_of_data_restrictions= -o smtpd_delay_reject=yes "
         "-o smtpd_helo_required=no -o smtpd_sasl_auth_enable=no "
         "-o smtpd_tls_security_level=none -o smtpd_error_sleep_time=0 "
         "-o smtpd_discard_ehlo_keywords= -o message_size_limit=0 -o "
         "smtpd_upstream_proxy_protocol= "
         "-o receive_override_options=no_header_body_checks,no_unknown_recipient_checks";
}

// The transport to the host that holds for all.  As local_transport(), and nothing of the
// site's changes the message or its envelope.
std::string host_transport(const std::string& bind) {
  return fmt::format(
      "{} unix - - y - - smtp -o syslog_name=postfix/$service_name -o soft_bounce=yes{} "
      "-o smtp_fallback_relay= -o smtp_line_length_limit=0 "
      "-o disable_mime_output_conversion=yes -o smtp_header_checks= "
      "-o smtp_mime_header_checks= -o smtp_nested_header_checks= -o smtp_body_checks= "
      "-o smtp_generic_maps= -o smtp_reply_filter= -o smtp_delivery_status_filter= "
      "-o smtp_discard_ehlo_keywords= -o smtp_discard_ehlo_keyword_address_maps= "
      "-o smtp_sasl_auth_enable=no -o smtp_tls_security_level=may "
      "-o smtp_tls_policy_maps= -o smtp_tls_wrappermode=no",
      kHostTransport, bind);
}

// Takes what the other gateways hold, and nothing else.  On the port of all of Postfix's
// addresses, because master(8) ends if it cannot bind, and behind NAT the addresses of
// [[host]] are not those of an interface.  A client that is unknown, perhaps a gateway
// that this configuration does not have yet, is to come again.
std::string intake_service(std::uint16_t port) {
  return fmt::format(
      "{} inet n - y - - smtpd -o syslog_name=postfix/{} -o cleanup_service_name={} "
      "-o mynetworks=${} -o smtpd_delay_reject=no "
      "-o smtpd_client_restrictions=permit_mynetworks,defer "
      "-o smtpd_helo_restrictions= -o smtpd_sender_restrictions= "
      "-o smtpd_relay_restrictions=permit_mynetworks,defer "
      "-o smtpd_recipient_restrictions=${} -o smtpd_data_restrictions= "
      "-o smtpd_end_of_data_restrictions= -o smtpd_etrn_restrictions=reject "
      "-o smtpd_reject_unlisted_sender=no -o smtpd_milters= -o smtpd_milter_maps= "
      "-o smtpd_proxy_filter= -o content_filter= -o smtpd_sasl_auth_enable=no "
      "-o smtpd_tls_wrappermode=no -o smtpd_tls_req_ccert=no "
      "-o smtpd_client_event_limit_exceptions=$mynetworks "
      "-o local_header_rewrite_clients= -o smtpd_discard_ehlo_keywords= "
      "-o smtpd_discard_ehlo_keyword_address_maps= -o smtpd_command_filter= "
      "-o smtpd_upstream_proxy_protocol= -o message_size_limit=0 "
      "-o receive_override_options=no_header_body_checks,no_unknown_recipient_checks,"
      "no_address_mappings,no_milters",
      port, kIntakeName, kIntakeCleanup, kClients, kRecipients);
}

// A message that just fits at one gateway fits at the next: it has one more Received.
std::string intake_cleanup() {
  return fmt::format(
      "{} unix n - y - 0 cleanup -o syslog_name=postfix/{} -o message_size_limit=0 "
      "-o header_checks= -o mime_header_checks= -o nested_header_checks= "
      "-o body_checks= -o non_smtpd_milters=",
      kIntakeCleanup, kIntakeName);
}

}  // namespace

QuarantineSite quarantine_site(const GatewayConfig& gateway, const HostConfig* local) {
  QuarantineSite site;
  site.port = static_cast<std::uint16_t>(gateway.quarantine_port);
  const auto* const host = gateway.find_host(gateway.quarantine_host.value);
  if (host == nullptr) return site;
  if (host != local) {
    site.host = host->name;
    for (const auto& address : host->addresses) {
      site.servers.push_back({address, site.port});
    }
    return site;
  }
  for (const auto& other : gateway.hosts) {
    if (&other == host) continue;
    site.clients.insert(site.clients.end(), other.addresses.begin(),
                        other.addresses.end());
  }
  return site;
}

void add_quarantine_parameters(
    const QuarantineSite& site,
    std::vector<std::pair<std::string, std::string>>& parameters) {
  if (site.is_elsewhere()) {
    std::vector<std::string> servers;
    for (const auto& server : site.servers) servers.push_back(server.str());
    parameters.emplace_back(
        kQuarantineRouteParameter,
        fmt::format("regexp:{{{{{} {}}} {{/{} {}:{}}}}}", receipt_pattern(),
                    kQuarantineRoute, domain_pattern(), kHostTransport,
                    fmt::join(servers, ", ")));
  }
  if (site.has_intake()) {
    parameters.emplace_back(kClients, address_list(site.clients));
    parameters.emplace_back(
        kRecipients,
        fmt::format("check_recipient_access regexp:{{{{{} REJECT}} {{/{} OK}}}}, reject",
                    receipt_pattern(), domain_pattern()));
  }
}

void add_quarantine_services(const QuarantineSite& site, const std::string& bind,
                             std::vector<std::string>& services) {
  services.push_back(local_transport());
  services.push_back(release_service());
  if (site.is_elsewhere()) services.push_back(host_transport(bind));
  if (site.has_intake()) {
    services.push_back(intake_service(site.port));
    services.push_back(intake_cleanup());
  }
}

std::string_view intake_port_of(const std::vector<std::string>& master_cf) {
  constexpr std::string_view kAfterPort = " inet ";
  const std::string name = fmt::format(" syslog_name=postfix/{} ", kIntakeName);
  for (const std::string_view line : master_cf) {
    const auto end = line.find(kAfterPort);
    if (end == std::string_view::npos || line.find(name) == std::string_view::npos)
      continue;
    return line.substr(0, end);
  }
  return {};
}

std::string address_list(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const auto& address : addresses) {
    texts.push_back(address.is_v4() ? address.str() : fmt::format("[{}]", address.str()));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace mxfeed
