// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/verify/trust_steps.h"

#include <fmt/format.h>

#include <string>

namespace mxfeed {
namespace {

using Addresses = std::vector<IpAddress>;

// "192.0.2.1,192.0.2.2", each in quotes for PowerShell.
std::string quoted(const Addresses& addresses, bool only_v4) {
  std::vector<std::string> texts;
  for (const auto& address : addresses) {
    if (!only_v4 || address.is_v4())
      texts.push_back(fmt::format("\"{}\"", address.str()));
  }
  return fmt::format("{}", fmt::join(texts, ","));
}

bool has_v6(const Addresses& addresses) {
  for (const auto& address : addresses) {
    if (!address.is_v4()) return true;
  }
  return false;
}

void exchange_steps(Sheet& sheet, const Addresses& addresses) {
  sheet.say(
      "Microsoft Exchange Server, in the Exchange Management Shell, on each server "
      "that takes mail from the Internet:");
  const auto all = quoted(addresses, false);
  sheet.code(fmt::format(
      "Set-ReceiveConnector \"$env:COMPUTERNAME\\Default Frontend $env:COMPUTERNAME\" "
      "-RemoteIPRanges {0}\n"
      "Set-TransportConfig -InternalSMTPServers @{{Add={0}}}\n",
      all));
  sheet.item(
      "The first command closes port 25 to everybody else.  Add the addresses of "
      "your own devices and applications that send by this server.");
  sheet.item(
      "With the second, the agents against spam judge the server that gave the mail "
      "to the gateway, not the gateway.");
}

void m365_steps(Sheet& sheet, const Addresses& addresses) {
  sheet.say("Microsoft 365, in Exchange Online PowerShell:");
  sheet.code(fmt::format(
      "New-InboundConnector -Name \"Gateway\" -ConnectorType Partner -SenderDomains "
      "\"*\" "
      "-RestrictDomainsToIPAddresses $true -SenderIPAddresses {} -RequireTls $true\n"
      "Set-InboundConnector -Identity \"Gateway\" -EFSkipIPs {}\n",
      quoted(addresses, true), quoted(addresses, true)));
  sheet.item(
      "The connector refuses mail for your domain that did not pass the gateway, "
      "and exempts the gateway from throttling.");
  sheet.item(
      "EFSkipIPs (Enhanced Filtering for Connectors) lets Microsoft judge the "
      "sender's address.  Do not add a mail flow rule that sets SCL to -1: it would "
      "switch that off.");
  sheet.item(
      "Your server is the MX host that Microsoft names for the domain, such as "
      "acme-example.mail.protection.outlook.com, port 25.");
  sheet.item(
      "Ask us for spam actions with a header field instead of a subject text: a "
      "changed subject breaks the sender's DKIM signature.");
  if (has_v6(addresses)) {
    sheet.item(
        "Connectors take IPv4 addresses only: tell us, so that we deliver by IPv4.");
  }
}

void google_steps(Sheet& sheet, const Addresses& addresses) {
  sheet.say(
      "Google Workspace, in the Admin console: Apps, Google Workspace, Gmail, Spam, "
      "phishing and malware, Inbound gateway:");
  std::string lines = "Gateway IPs:\n";
  for (const auto& address : addresses) lines += "  " + address.str() + '\n';
  lines +=
      "[x] Automatically detect external IP\n"
      "[x] Reject all mail not from gateway IPs\n"
      "[x] Require TLS for connections from the email gateways listed above\n";
  sheet.code(std::move(lines));
  sheet.item(
      "Choose \"Reject all mail\" only when the MX records have been changed for as "
      "long as their TTL.");
  sheet.item("Your server is smtp.google.com, port 25.");
  sheet.item(
      "Ask us for spam actions with a header field instead of a subject text: a "
      "changed subject breaks the sender's DKIM signature.");
}

void postfix_steps(Sheet& sheet, const Addresses& addresses) {
  sheet.say("Postfix:");
  std::string table;
  for (const auto& address : addresses) table += address.str() + "  OK\n";
  sheet.code("# /etc/postfix/gateways.cidr\n" + table);
  sheet.code(
      "# /etc/postfix/main.cf\n"
      "smtpd_client_restrictions = permit_mynetworks, permit_sasl_authenticated,\n"
      "    check_client_access cidr:/etc/postfix/gateways.cidr, reject\n"
      "smtpd_client_event_limit_exceptions = $mynetworks, "
      "cidr:/etc/postfix/gateways.cidr\n");
  sheet.item(
      "With submission on port 587 or 465, set smtpd_client_restrictions there by "
      "\"-o\" in master.cf as it was.");
  sheet.item(
      "Name the gateways in trusted_networks and internal_networks of SpamAssassin, "
      "as external_relay of rspamd, in skip_addresses of an SPF policy service, and "
      "as trusted hosts of milters that check SPF or DMARC.");
}

}  // namespace

void add_trust_steps(Sheet& sheet, const Addresses& addresses, MailSystem system) {
  switch (system) {
    case MailSystem::any:
      return;
    case MailSystem::exchange:
      return exchange_steps(sheet, addresses);
    case MailSystem::m365:
      return m365_steps(sheet, addresses);
    case MailSystem::google:
      return google_steps(sheet, addresses);
    case MailSystem::postfix:
      return postfix_steps(sheet, addresses);
  }
}

}  // namespace mxfeed
