// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/verify/handover.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "postfix-conf/verify/trust_steps.h"

namespace mxfeed {
namespace {

using std::chrono::seconds;

bool passes_here(Service service) {
  return service == Service::feed || service == Service::backup;
}

// "2 days", "36 hours", "90 minutes".
std::string spoken(seconds duration) {
  constexpr std::array<std::pair<long, std::string_view>, 3> kUnits = {
      {{86'400, "day"}, {3'600, "hour"}, {60, "minute"}}};
  for (const auto& [size, unit] : kUnits) {
    if (duration.count() >= size && duration.count() % size == 0) {
      const auto count = duration.count() / size;
      return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
    }
  }
  return fmt::format("{} second{}", duration.count(), duration.count() == 1 ? "" : "s");
}

std::string megabytes(std::uint64_t bytes) {
  constexpr std::uint64_t kMega = 1 << 20;
  return bytes % kMega == 0 ? fmt::format("{} MiB", bytes / kMega)
                            : fmt::format("{} bytes", bytes);
}

std::string title_of(const DomainConfig& domain) {
  switch (domain.settings->service) {
    case Service::feed:
      return "SMTP feed for " + domain.name;
    case Service::backup:
      return "Backup MX for " + domain.name;
    case Service::direct:
      return "Direct delivery for " + domain.name;
    case Service::mailbox:
      return "Mailboxes of " + domain.name;
  }
  return domain.name;
}

std::string summary(const DomainConfig& domain) {
  switch (domain.settings->service) {
    case Service::feed:
      return fmt::format(
          "Mail for {} arrives at our gateways, is filtered and relayed to your server.  "
          "While your server is away the mail waits here.",
          domain.name);
    case Service::backup:
      return fmt::format(
          "Mail for {} goes to your own server.  While that is away our gateway takes "
          "the "
          "mail, filters it and delivers it when your server is back.",
          domain.name);
    case Service::direct:
      return fmt::format("Mail for {} goes to your own server; none passes through us.",
                         domain.name);
    case Service::mailbox:
      return fmt::format("Mail for {} is filtered and kept in mailboxes here.",
                         domain.name);
  }
  return {};
}

void say_records(Sheet& sheet, const DnsAdvice& records) {
  sheet.heading("Records to publish in DNS");
  for (const auto& set : records.sets) {
    if (set.records.empty()) continue;
    sheet.say(fmt::format("{}{}:", set.purpose, set.is_optional ? " (optional)" : ""));
    std::string lines;
    for (const auto& record : set.records) lines += zone_line(record);
    sheet.code(std::move(lines));
    for (const auto& note : set.notes) sheet.item(note);
  }
  sheet.say(fmt::format("The policy for MTA-STS, at https://{}/.well-known/mta-sts.txt:",
                        records.sts.host));
  std::string policy = records.sts.text;
  std::erase(policy, '\r');
  sheet.code(std::move(policy));
}

void say_addresses(Sheet& sheet, const std::vector<IpAddress>& addresses,
                   MailSystem system) {
  sheet.heading("Addresses to allow and to trust");
  if (addresses.empty()) {
    sheet.say("Ask us for the addresses from which we deliver.");
    return;
  }
  sheet.say(
      "We deliver from these addresses only.  Allow them on port 25, and nobody "
      "else: a spammer who connects to your server directly goes round the filter.");
  std::string lines;
  for (const auto& address : addresses) lines += address.str() + '\n';
  sheet.code(std::move(lines));
  sheet.say(
      "Your own filter must trust them: no block list, no greylisting, no SPF check "
      "and no limit of connections for these addresses, for they are not those of "
      "the sender.");
  add_trust_steps(sheet, addresses, system);
}

std::string_view greylist_text(GreylistWhen when) {
  switch (when) {
    case GreylistWhen::always:
      return "An unknown sender is asked to try again; its mail is taken";
    case GreylistWhen::suspicious:
      return "A suspicious sender is asked to try again; its mail is taken";
    case GreylistWhen::never:
      break;
  }
  return "";
}

std::string_view virus_text(VirusAction action) {
  switch (action) {
    case VirusAction::discard:
      return "deleted";
    case VirusAction::reject:
      return "refused";
    case VirusAction::quarantine:
      return "held";
  }
  return "";
}

std::string spam_text(const SpamRule& rule) {
  switch (rule.action) {
    case SpamAction::none:
      return "delivered unchanged";
    case SpamAction::header:
      return fmt::format("delivered with the hidden header field \"{}\"", rule.text);
    case SpamAction::subject:
      return fmt::format("delivered with \"{}\" before the subject", rule.text);
    case SpamAction::discard:
      return "deleted";
    case SpamAction::reject:
      return "refused";
    case SpamAction::quarantine:
      return "held";
  }
  return {};
}

void say_spam(Sheet& sheet, const SpamPolicy& spam) {
  if (!spam.enabled) {
    sheet.item("Spam is not marked: your own server may do that.");
    return;
  }
  constexpr std::pair<SpamLevel, std::string_view> kLevels[] = {
      {SpamLevel::low, "Possible spam (low)"},
      {SpamLevel::med, "Likely spam (med)"},
      {SpamLevel::high, "Almost certain spam (high)"}};
  for (const auto& [level, name] : kLevels) {
    const auto& rule = spam.rules[static_cast<std::size_t>(level)];
    sheet.item(fmt::format("{} is {}.", name, spam_text(rule)));
  }
}

void say_settings(Sheet& sheet, const DomainConfig& domain) {
  const auto& settings = *domain.settings;
  const auto& policy = settings.policy;
  sheet.heading("Settings in force");
  std::vector<std::string> servers;
  for (const auto& endpoint : domain.deliver_to) servers.push_back(endpoint.str());
  if (settings.deliver_to_mx) {
    sheet.item("Delivered to the hosts of your MX records that come before ours.");
  }
  if (!servers.empty()) {
    sheet.item(fmt::format("Delivered to, in this order: {}.", fmt::join(servers, ", ")));
  }
  sheet.item(
      fmt::format("While no server answers mail waits for {}; then the sender gets "
                  "a notice.  Tell us in time if an outage will be longer.",
                  spoken(settings.queue_lifetime)));
  sheet.item(
      "Every message is scanned for viruses; an infected one is " +
      std::string(virus_text(policy.virus.infected)) +
      ".  One that cannot be scanned within limits is " +
      std::string(virus_text(policy.virus.unscannable)) +
      (policy.virus.encrypted == EncryptedAction::reject
           ? "; so is one with encrypted content: refused."
           : ".  Encrypted content is delivered with a header field that says so."));
  sheet.item(policy.greylist.when == GreylistWhen::never
                 ? std::string("Greylisting is off.")
                 : fmt::format(
                       "{} after {}, or {} if nothing verifies who they are.  Mail "
                       "servers do that by themselves.",
                       greylist_text(policy.greylist.when), spoken(policy.greylist.delay),
                       spoken(std::max(policy.greylist.delay,
                                       policy.greylist.unverified_delay))));
  say_spam(sheet, policy.spam);
  sheet.item(fmt::format("The largest message: {}.", megabytes(settings.max_size)));
  if (policy.subdomains) {
    sheet.item("All this is for the names below the domain too.");
  }
}

void say_duties(Sheet& sheet, const DomainConfig& domain) {
  const auto& settings = *domain.settings;
  sheet.heading("Your duties");
  sheet.item(
      "The records in DNS, and the address of your server that you told us, are up "
      "to date; tell us before a change.");
  sheet.item(
      "Your server is kept patched and is not an open relay: it takes mail for your "
      "own domains only.");
  sheet.item("It runs all the time, and takes mail for postmaster@" + domain.name + ".");
  sheet.item(
      "It refuses unknown recipients while it is connected, so that nobody gets "
      "notices of mail that he did not send.");
  if (settings.service == Service::backup && !settings.requested.empty()) {
    sheet.say(
        fmt::format("Requested: {}.{}", settings.requested,
                    settings.acknowledged.empty()
                        ? ""
                        : fmt::format("  Acknowledged: {}.", settings.acknowledged)));
  }
}

void say_tests(Sheet& sheet, const DomainConfig& domain) {
  sheet.heading("How to test");
  const auto& service = domain.settings->service;
  if (!domain.deliver_to.empty()) {
    sheet.item(
        fmt::format("Before the MX records change we check your server from our "
                    "addresses: port {}, a recipient, TLS, and that it relays for "
                    "nobody else.  Name a recipient whom we may use.",
                    domain.deliver_to.front().port));
  }
  sheet.item(fmt::format("Look up the records: dig +short MX {}", domain.name));
  if (service == Service::direct) return;
  sheet.item(
      fmt::format("Send a message from elsewhere to an address of {}.  Its topmost "
                  "Received fields show our gateway, then your server.",
                  domain.name));
  if (service == Service::feed) {
    sheet.item(
        "Connect to port 25 of your server from an address that is not ours: it "
        "must not answer.");
  }
  sheet.item("Send the EICAR test file: it does not arrive.");
}

}  // namespace

std::string_view to_string(MailSystem value) {
  switch (value) {
    case MailSystem::any:
      return "any";
    case MailSystem::exchange:
      return "exchange";
    case MailSystem::m365:
      return "m365";
    case MailSystem::google:
      return "google";
    case MailSystem::postfix:
      return "postfix";
  }
  return "";
}

std::optional<MailSystem> parse_mail_system(std::string_view text) {
  for (const auto value : {MailSystem::exchange, MailSystem::m365, MailSystem::google,
                           MailSystem::postfix}) {
    if (to_string(value) == text) return value;
  }
  return std::nullopt;
}

Sheet handover_sheet(const Config& config, const DomainConfig& domain,
                     const DnsAdvice& records, MailSystem system) {
  Sheet sheet(title_of(domain));
  sheet.say(summary(domain));
  say_records(sheet, records);
  if (passes_here(domain.settings->service)) {
    std::vector<IpAddress> addresses;
    for (const auto& host : config.gateway.hosts) {
      addresses.insert(addresses.end(), host.addresses.begin(), host.addresses.end());
    }
    say_addresses(sheet, addresses, system);
    say_settings(sheet, domain);
  }
  say_duties(sheet, domain);
  say_tests(sheet, domain);
  return sheet;
}

}  // namespace mxfeed
