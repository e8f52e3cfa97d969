// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/verify/dns_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/base/digest.h"
#include "common/base/text.h"
#include "common/mail/envelope.h"

namespace mxfeed {
namespace {

// The customary distance between preferences leaves room for a server in between.
constexpr unsigned kPreferenceStep = 10;
constexpr unsigned kBackupPreference = 90;
// Long enough for caches, short enough for a change within the hour.
constexpr unsigned kTtl = 3600;
constexpr std::uint16_t kSmtpPort = 25;
constexpr unsigned kWeek = 604'800;

// A name that senders find, and its addresses if they are ours to say.
struct Exchange {
  std::string name;
  std::vector<IpAddress> addresses;
};

// "mail.acme.example", "mail2.acme.example": a server that is configured by its address
// needs a name, because an MX record takes no address (RFC 5321, 5.1).
std::vector<Exchange> customer_servers(const DomainConfig& domain) {
  std::vector<Exchange> servers;
  for (const auto& endpoint : domain.deliver_to) {
    if (endpoint.name() != nullptr) {
      servers.push_back({*endpoint.name(), {}});
      continue;
    }
    const auto number = servers.size() + 1;
    servers.push_back(
        {fmt::format("mail{}.{}", number == 1 ? "" : std::to_string(number), domain.name),
         {*endpoint.address()}});
  }
  return servers;
}

std::vector<Exchange> gateways(const std::vector<std::string>& names) {
  std::vector<Exchange> all;
  for (const auto& name : names) all.push_back({name, {}});
  return all;
}

// The hosts that take mail for the domain, the best first.
std::vector<Exchange> exchanges(const GatewayConfig& gateway,
                                const DomainConfig& domain) {
  const Service service = domain.settings->service;
  if (service == Service::feed || service == Service::mailbox)
    return gateways(gateway.mx);
  auto all = customer_servers(domain);
  if (service == Service::backup) {
    const auto ours = gateways(gateway.backup_mx);
    all.insert(all.end(), ours.begin(), ours.end());
  }
  return all;
}

std::string absolute(std::string_view name) {
  return fmt::format("{}.", name);
}

DnsRecordSet mx_records(const Config& config, const DomainConfig& domain) {
  const auto& settings = *domain.settings;
  DnsRecordSet set;
  set.purpose = "Where mail is delivered to";
  switch (settings.service) {
    case Service::feed:
    case Service::mailbox:
      set.notes.emplace_back(
          "Remove all other MX records of the domain: mail that "
          "arrives by them is not filtered.");
      break;
    case Service::backup:
      set.notes.emplace_back(
          settings.deliver_to_mx
              ? "Keep the MX records of your own servers.  Their numbers must be smaller "
                "than these."
              : "Your own server has the smallest number, so it is tried "
                "first.  Keep the name that it has now, if it has one.");
      break;
    case Service::direct:
      set.notes.emplace_back(
          "Senders connect to your own server; no mail passes through "
          "the gateway.");
      break;
  }
  const auto hosts = exchanges(config.gateway, domain);
  // A backup by MX records comes after servers whose numbers are not known.
  const unsigned first = settings.deliver_to_mx ? kBackupPreference : 0;
  unsigned preference = first;
  for (const auto& host : hosts) {
    preference += kPreferenceStep;
    set.records.push_back(
        {domain.name, "MX", fmt::format("{} {}", preference, absolute(host.name))});
  }
  if (settings.policy.subdomains) {
    preference = first;
    for (const auto& host : hosts) {
      preference += kPreferenceStep;
      set.records.push_back({"*." + domain.name, "MX",
                             fmt::format("{} {}", preference, absolute(host.name))});
    }
    set.notes.emplace_back(
        "A wildcard does not count for a name that has any record of "
        "its own: such a name needs MX records too.");
  }
  for (const auto& host : hosts) {
    for (const auto& address : host.addresses) {
      set.records.push_back({host.name, address.is_v4() ? "A" : "AAAA", address.str()});
    }
  }
  const bool has_other_port =
      settings.service != Service::feed &&
      std::any_of(domain.deliver_to.begin(), domain.deliver_to.end(),
                  [](const Endpoint& one) { return one.port != kSmtpPort; });
  if (has_other_port) {
    set.notes.emplace_back(
        "Senders connect to port 25 only: your server must answer "
        "there too.");
  }
  set.notes.emplace_back(
      "An MX record names a host with an A or AAAA record, never an "
      "alias (CNAME) and never an address.");
  return set;
}

StsPolicy sts_policy(const Config& config, const DomainConfig& domain) {
  StsPolicy policy;
  policy.host = "mta-sts." + domain.name;
  policy.text = "version: STSv1\r\nmode: testing\r\n";
  for (const auto& host : exchanges(config.gateway, domain)) {
    policy.text += fmt::format("mx: {}\r\n", host.name);
  }
  policy.text += fmt::format("max_age: {}\r\n", kWeek);
  return policy;
}

// RFC 8461, 3.1: up to 32 letters and digits that change with the policy.
std::string policy_id(const StsPolicy& policy) {
  std::string id;
  for (const unsigned char byte : digest(policy.text, 10)) {
    id += fmt::format("{:02x}", byte);
  }
  return id;
}

DnsRecordSet sts_records(const StsPolicy& policy, const std::string& domain) {
  return {"TLS demanded of senders (MTA-STS, RFC 8461)",
          {fmt::format("{} must be a web server with a valid certificate that serves the "
                       "policy below.",
                       policy.host),
           "Change \"testing\" to \"enforce\" when reports show no failure, and the id "
           "with each change of the policy."},
          {{"_mta-sts." + domain, "TXT",
            fmt::format("\"v=STSv1; id={}\"", policy_id(policy))}},
          true};
}

const std::string* contact_elsewhere(const Config& config, const DomainConfig& domain) {
  if (domain.customer == DomainConfig::kNoCustomer) return nullptr;
  const auto& contacts = config.customers[domain.customer].contacts;
  const auto found =
      std::find_if(contacts.begin(), contacts.end(), [&](const std::string& address) {
        return config.find(Recipient::parse(address).domain) == nullptr;
      });
  return found == contacts.end() ? nullptr : &*found;
}

// As part of a mailto URI in a tag list (RFC 6068; RFC 8460, 3).
std::string in_uri(std::string_view address) {
  std::string text;
  for (const char c : address) {
    if (is_letter(c) || is_digit(c) ||
        std::string_view("@.-_+=").find(c) != std::string_view::npos) {
      text += c;
    } else {
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

DnsRecordSet report_records(const Config& config, const DomainConfig& domain) {
  DnsRecordSet set;
  set.purpose = "Reports of failed TLS (TLSRPT, RFC 8460)";
  set.is_optional = true;
  const auto* const contact = contact_elsewhere(config, domain);
  if (contact == nullptr) {
    set.notes.emplace_back(
        "Write an address into it that does not depend on this domain.");
  }
  set.records.push_back(
      {"_smtp._tls." + domain.name, "TXT",
       fmt::format("\"v=TLSRPTv1; rua=mailto:{}\"",
                   contact == nullptr ? "tls-reports@isp.example" : in_uri(*contact))});
  return set;
}

void append_comment(std::string& text, std::string_view comment) {
  text.append("; ").append(comment).append("\n");
}

}  // namespace

DnsAdvice dns_advice(const Config& config, const DomainConfig& domain) {
  DnsAdvice advice;
  advice.domain = domain.name;
  advice.sts = sts_policy(config, domain);
  auto sts = sts_records(advice.sts, domain.name);
  if (domain.settings->deliver_to_mx) {
    sts.notes.emplace_back(
        "Add \"mx: NAME\" to the policy for each of your own servers.");
  }
  advice.sets = {mx_records(config, domain), std::move(sts),
                 report_records(config, domain)};
  return advice;
}

DnsRecordSet tlsa_records(const std::vector<std::string>& lines) {
  DnsRecordSet set;
  set.purpose = "The provider publishes the keys of this gateway (DANE, RFC 7672)";
  set.is_optional = true;
  set.notes = {
      "It works if the zones of the gateway and of the customer are signed "
      "(DNSSEC).",
      "Publish the record of the next key before it is used: a wrong one stops "
      "mail for all domains."};
  for (const auto& line : lines) {
    // "_25._tcp.mx1.isp.example. IN TLSA 3 1 1 ab12..."
    constexpr std::string_view kType = " IN TLSA ";
    const auto type = line.find(kType);
    if (type == std::string::npos || type == 0) continue;
    std::string owner = line.substr(0, type);
    if (owner.ends_with('.')) owner.pop_back();
    DnsRecord record{std::move(owner), "TLSA", line.substr(type + kType.size())};
    if (std::find(set.records.begin(), set.records.end(), record) == set.records.end()) {
      set.records.push_back(std::move(record));
    }
  }
  return set;
}

std::string zone_line(const DnsRecord& record) {
  return fmt::format("{}  {}  IN  {}  {}\n", absolute(record.owner), kTtl, record.type,
                     record.data);
}

std::string zone_text(const DnsAdvice& advice) {
  std::string text;
  for (const auto& set : advice.sets) {
    if (set.records.empty()) continue;
    if (!text.empty()) text += '\n';
    append_comment(
        text, fmt::format("{}{}.", set.purpose, set.is_optional ? "; optional" : ""));
    for (const auto& note : set.notes) append_comment(text, note);
    for (const auto& record : set.records) text += zone_line(record);
  }
  text += '\n';
  append_comment(text, fmt::format("The policy at https://{}/.well-known/mta-sts.txt, "
                                   "whose lines end in CRLF:",
                                   advice.sts.host));
  for (auto line : split(advice.sts.text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) append_comment(text, line);
  }
  return text;
}

}  // namespace mxfeed
