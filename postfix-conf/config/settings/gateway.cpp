// SPDX-License-Identifier: GPL-2.0-or-later
//
// The top level of mxfeed.toml, [[host]], [[recipient_command]], and the tables of later
// versions.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "postfix-conf/config/settings/rows.h"
#include "postfix-conf/config/settings/tables.h"

namespace mxfeed {
namespace {

using std::chrono::hours;

constexpr std::size_t kMaxNetworks = 10'000;
constexpr std::size_t kMaxMilter = 500;
constexpr std::size_t kMaxUrl = 2000;
constexpr std::size_t kMaxCommandName = 64;
constexpr std::size_t kMaxPostmaster = 254;
constexpr std::size_t kMaxHostName = 253;
// Those below are of other services of Postfix.
constexpr std::uint64_t kLeastQuarantinePort = 1024;

bool is_full_name(const std::optional<Domain>& name) {
  return name && name->str().find('.') != std::string::npos;
}

std::vector<std::string> read_names(const Entry& entry) {
  std::vector<std::string> names;
  const auto given = entry.strings();
  if (!given) return names;
  for (const auto& one : *given) {
    const auto name = Domain::parse(one.value);
    if (is_full_name(name)) {
      names.push_back(name->str());
    } else {
      entry.error(one.place, fmt::format("{} is not a fully qualified host name",
                                         in_quotes(one.value)));
    }
  }
  return names;
}

std::vector<Network> read_networks(const Entry& entry) {
  std::vector<Network> networks;
  const auto given = entry.strings();
  if (!given) return networks;
  for (const auto& one : *given) {
    const auto network = Network::parse(one.value);
    if (!network) {
      entry.error(one.place, fmt::format("{} is not a network, such as \"192.0.2.0/24\"",
                                         in_quotes(one.value)));
    } else if (network->base !=
               IpAddress::parse(network->str().substr(0, network->str().find('/')))) {
      entry.error(one.place,
                  fmt::format("{} has bits set after its prefix; did you mean \"{}\"?",
                              in_quotes(one.value), network->str()));
    } else {
      networks.push_back(*network);
    }
  }
  if (networks.size() > kMaxNetworks) {
    entry.error(fmt::format("must not have more than {} networks", kMaxNetworks));
  }
  return networks;
}

template <auto path>
void read_names_into(const Entry& entry, const Setting<GatewayConfig>&,
                     GatewayConfig& gateway) {
  gateway.*path = read_names(entry);
}

template <auto path>
void read_networks_into(const Entry& entry, const Setting<GatewayConfig>&,
                        GatewayConfig& gateway) {
  gateway.*path = read_networks(entry);
}

// It is written into master.cf.
bool is_plain(std::string_view local_part) {
  return !local_part.empty() && local_part.front() != '-' &&
         std::all_of(local_part.begin(), local_part.end(), [](char c) {
           return is_letter(c) || is_digit(c) ||
                  std::string_view("._+=-").find(c) != std::string_view::npos;
         });
}

void read_postmaster(const Entry& entry, const Setting<GatewayConfig>&,
                     GatewayConfig& gateway) {
  const auto given = entry.text(kMaxPostmaster);
  if (!given) return;
  const auto path = Path::parse(*given);
  const auto domain = path ? Domain::parse(path->domain) : std::nullopt;
  if (!is_full_name(domain) || !is_plain(path->local_part)) {
    entry.error(
        fmt::format("{} is not a mail address of letters, digits and \".\", "
                    "\"_\", \"+\", \"=\", \"-\"",
                    in_quotes(*given)));
    return;
  }
  gateway.postmaster = {path->local_part + "@" + domain->str(), entry.place()};
}

Json postmaster_of(const GatewayConfig& gateway) {
  return to_json(gateway.postmaster.value);
}

void read_host_name(const Entry& entry, const Setting<HostConfig>&, HostConfig& host) {
  const auto given = entry.text(kMaxHostName);
  if (!given) return;
  const auto name = Domain::parse(*given);
  host.place = entry.place();
  if (is_full_name(name)) {
    host.name = name->str();
  } else {
    entry.error(fmt::format("{} is not a fully qualified host name", in_quotes(*given)));
  }
}

void read_addresses(const Entry& entry, const Setting<HostConfig>&, HostConfig& host) {
  const auto given = entry.strings();
  if (!given) return;
  for (const auto& one : *given) {
    if (const auto address = IpAddress::parse(one.value)) {
      host.addresses.push_back(*address);
    } else {
      entry.error(one.place,
                  fmt::format("{} is not an IP address", in_quotes(one.value)));
    }
  }
}

Json addresses_of(const HostConfig& host) {
  Json list = Json::list();
  for (const auto& address : host.addresses) list.add(address.str());
  return host.addresses.empty() ? Json() : list;
}

void read_hosts(const Entry& entry, const Setting<GatewayConfig>&,
                GatewayConfig& gateway) {
  for (auto& table : entry.tables()) {
    HostConfig host;
    host.place = table.place();
    table.read(host_settings(), SettingsOf::domain, host);
    if (!table.has("name")) table.error("name", table.place(), "missing");
    gateway.hosts.push_back(std::move(host));
  }
}

// Why it is no item of smtpd_milters; nothing if it is.
std::optional<std::string_view> wrong_milter(std::string_view text) {
  if (text.empty() || text.size() > kMaxMilter || !is_ascii(text)) {
    return "must be printable ASCII of 1 to 500 characters";
  }
  if (std::any_of(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; })) {
    return "must be printable ASCII of 1 to 500 characters";
  }
  std::string_view endpoint = text;
  const bool has_braces = text.starts_with('{');
  if (has_braces) {
    if (!text.ends_with('}') || std::count(text.begin(), text.end(), '{') !=
                                    std::count(text.begin(), text.end(), '}')) {
      return "the braces do not match";
    }
    endpoint = trim(text.substr(1, text.size() - 2));
  } else if (text.find_first_of(" ,{}") != std::string_view::npos) {
    return "a milter with options stands in braces, "
           "\"{ inet:localhost:8891, default_action=accept }\"";
  }
  if (!endpoint.starts_with("inet:") && !endpoint.starts_with("unix:")) {
    return "must begin with inet: or unix:";
  }
  if (endpoint.starts_with("unix:mxfeed/")) return "is one of mxfeed's own";
  return std::nullopt;
}

template <auto path>
void read_milters_into(const Entry& entry, const Setting<GatewayConfig>&,
                       GatewayConfig& gateway) {
  const auto given = entry.strings();
  if (!given) return;
  for (const auto& one : *given) {
    const auto text = trim(one.value);
    if (const auto cause = wrong_milter(text)) {
      entry.error(one.place, fmt::format("{}: {}", in_quotes(text), *cause));
    } else {
      (gateway.*path).emplace_back(text);
    }
  }
}

// As postconf(1) names services that smtpd(8) may have.
bool is_service(std::string_view text) {
  const auto slash = text.rfind('/');
  if (slash == std::string_view::npos || slash == 0 || text.size() > 100) return false;
  const auto type = text.substr(slash + 1);
  return (type == "inet" || type == "pass") &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter(c) || is_digit(c) ||
                  std::string_view("/.:[]_-").find(c) != std::string_view::npos;
         });
}

void read_services(const Entry& entry, const Setting<GatewayConfig>&,
                   GatewayConfig& gateway) {
  const auto given = entry.strings();
  if (!given) return;
  for (const auto& one : *given) {
    if (is_service(one.value)) {
      gateway.services.emplace_back(one.value);
    } else {
      entry.error(one.place, fmt::format("{} is not a service of master.cf, such as "
                                         "\"2525/inet\" or \"smtpd/pass\"",
                                         in_quotes(one.value)));
    }
  }
}

Settings<GatewayConfig> postfix_settings() {
  using G = GatewayConfig;
  static constexpr std::array kRows{
      flag<&G::dedicated>("dedicated", "true"),
      flag<&G::smtputf8>("smtputf8", "true"),
      flag<&G::scan_other_mail>("scan_other_mail", "true"),
      custom<&G::verifiers>("verifiers", SettingType::strings,
                            R"(["inet:localhost:8891"])",
                            read_milters_into<&G::verifiers>),
      custom<&G::sealers>("sealers", SettingType::strings,
                          R"(["unix:opendkim/opendkim.sock"])",
                          read_milters_into<&G::sealers>),
      custom<&G::services>("services", SettingType::strings,
                           R"(["smtp/inet", "2525/inet"])", read_services),
  };
  return kRows;
}

Settings<GatewayConfig> delivery_settings() {
  using G = GatewayConfig;
  static constexpr std::array kRows{
      integer<&G::connections>("connections", 1, 1000, "5"),
      duration<&G::rate_delay>("rate_delay", hours(0), hours(1), R"("1s")"),
  };
  return kRows;
}

// Empty if it is wrong.
std::vector<std::string> read_command(const Entry& entry) {
  std::vector<std::string> command;
  const auto given = entry.strings();
  if (!given) return command;
  if (given->empty() || !given->front().value.starts_with('/')) {
    entry.error("must be a program with its whole path, and its arguments");
    return command;
  }
  for (const auto& one : *given) command.emplace_back(one.value);
  return command;
}

void read_alert_command(const Entry& entry, const Setting<GatewayConfig>&,
                        GatewayConfig& gateway) {
  gateway.alerts.command = read_command(entry);
}

void read_recipient_command_name(const Entry& entry, const Setting<RecipientCommand>&,
                                 RecipientCommand& command) {
  const auto name = entry.text(kMaxCommandName);
  command.place = entry.place();
  if (name) command.name = *name;
}

void read_recipient_command(const Entry& entry, const Setting<RecipientCommand>&,
                            RecipientCommand& command) {
  command.command = read_command(entry);
}

void read_recipient_commands(const Entry& entry, const Setting<GatewayConfig>&,
                             GatewayConfig& gateway) {
  for (auto& table : entry.tables()) {
    RecipientCommand command;
    command.place = table.place();
    table.read(recipient_command_settings(), SettingsOf::domain, command);
    for (const std::string_view key : {"name", "command"}) {
      if (!table.has(key)) table.error(key, table.place(), "missing");
    }
    gateway.recipient_commands.push_back(std::move(command));
  }
}

void read_webhook(const Entry& entry, const Setting<GatewayConfig>&,
                  GatewayConfig& gateway) {
  const auto given = entry.text(kMaxUrl);
  if (!given) return;
  if (!given->starts_with("https://") && !given->starts_with("http://")) {
    entry.error(fmt::format("{} is not a URL of type https or http", in_quotes(*given)));
    return;
  }
  gateway.alerts.webhook = *given;
}

Settings<GatewayConfig> alerts_settings() {
  using G = GatewayConfig;
  static constexpr std::array kRows{
      custom<&G::alerts, &AlertChannels::command>("command", SettingType::strings,
                                                  R"(["/usr/local/bin/alert"])",
                                                  read_alert_command),
      custom<&G::alerts, &AlertChannels::webhook>("webhook", SettingType::string,
                                                  R"("https://alerts.isp.example/mx")",
                                                  read_webhook, 0, kMaxUrl),
  };
  return kRows;
}

void read_source_command(const Entry& entry, const Setting<GatewayConfig>&,
                         GatewayConfig& gateway) {
  gateway.source = read_command(entry);
}

Settings<GatewayConfig> source_settings() {
  static constexpr std::array kRows{
      custom<&GatewayConfig::source>("command", SettingType::strings,
                                     R"(["/usr/local/bin/domains"])",
                                     read_source_command),
  };
  return kRows;
}

// Whether a [[host]] has the name is checked when all are read.
void read_quarantine_host(const Entry& entry, const Setting<GatewayConfig>&,
                          GatewayConfig& gateway) {
  const auto given = entry.text(kMaxHostName);
  if (!given) return;
  const auto name = Domain::parse(*given);
  if (is_full_name(name)) {
    gateway.quarantine_host = {name->str(), entry.place()};
  } else {
    entry.error(fmt::format("{} is not a fully qualified host name", in_quotes(*given)));
  }
}

Json quarantine_host_of(const GatewayConfig& gateway) {
  return to_json(gateway.quarantine_host.value);
}

Settings<GatewayConfig> quarantine_settings() {
  using G = GatewayConfig;
  constexpr auto kPolicy = &DomainSettings::policy;
  constexpr auto kQuarantine = &DomainPolicy::quarantine;
  using Own = QuarantinePolicy;
  static constexpr std::array kRows{
      Setting<G>{.key = "host",
                 .type = SettingType::string,
                 .example = R"("mx1.isp.example")",
                 .read = read_quarantine_host,
                 .value = quarantine_host_of,
                 .most = kMaxHostName},
      integer<&G::quarantine_port>("port", kLeastQuarantinePort, 65535, "2525"),
      duration<&G::base, kPolicy, kQuarantine, &Own::keep>("keep", kLeastHeld, kMostHeld,
                                                           R"("14d")"),
      quota<&G::base, kPolicy, kQuarantine, &Own::quota>("quota", kMostQuota, R"("1G")"),
  };
  return kRows;
}

Settings<GatewayConfig> mailbox_settings() {
  using G = GatewayConfig;
  static constexpr std::array kRows{
      of_later_version<G>("host", SettingType::string, R"("mx1.isp.example")"),
      duration<&G::mailbox_keep>("keep", kLeastHeld, kMostHeld, R"("14d")"),
  };
  return kRows;
}

Settings<GatewayConfig> retention_settings() {
  static constexpr std::array kRows{
      of_later_version<GatewayConfig>("events", SettingType::duration, R"("90d")"),
      of_later_version<GatewayConfig>("trace", SettingType::duration, R"("30d")"),
      of_later_version<GatewayConfig>("journal", SettingType::duration, R"("7d")"),
  };
  return kRows;
}

}  // namespace

Settings<HostConfig> host_settings() {
  static constexpr std::array kRows{
      custom<&HostConfig::name>("name", SettingType::string, R"("mx1.isp.example")",
                                read_host_name),
      Setting<HostConfig>{.key = "addresses",
                          .type = SettingType::strings,
                          .example = R"(["203.0.113.2", "2001:db8::2"])",
                          .read = read_addresses,
                          .value = addresses_of},
  };
  return kRows;
}

Settings<RecipientCommand> recipient_command_settings() {
  using R = RecipientCommand;
  static constexpr std::array kRows{
      custom<&R::name>("name", SettingType::string, R"("ldap")",
                       read_recipient_command_name, 0, kMaxCommandName),
      custom<&R::command>("command", SettingType::strings,
                          R"(["/usr/local/bin/recipients"])", read_recipient_command),
  };
  return kRows;
}

Settings<GatewayConfig> gateway_settings() {
  using G = GatewayConfig;
  static constexpr std::array kRows{
      custom<&G::mx>("mx", SettingType::strings,
                     R"(["mx1.isp.example", "mx2.isp.example"])",
                     read_names_into<&G::mx>),
      custom<&G::backup_mx>("backup_mx", SettingType::strings, R"(["mx2.isp.example"])",
                            read_names_into<&G::backup_mx>),
      custom<&G::allow_private>("allow_private", SettingType::strings,
                                R"(["10.20.0.0/16"])",
                                read_networks_into<&G::allow_private>),
      custom<&G::trusted_networks>("trusted_networks", SettingType::strings,
                                   R"(["198.51.100.0/28"])",
                                   read_networks_into<&G::trusted_networks>),
      duration<&G::removal_grace>("removal_grace", hours(0), hours(24 * 30), R"("24h")"),
      Setting<G>{.key = "postmaster",
                 .type = SettingType::string,
                 .example = R"("postmaster@isp.example")",
                 .read = read_postmaster,
                 .value = postmaster_of,
                 .most = kMaxPostmaster},
      Setting<G>{
          .key = "host", .type = SettingType::tables, .example = {}, .read = read_hosts},
      Setting<G>{.key = "recipient_command",
                 .type = SettingType::tables,
                 .example = {},
                 .read = read_recipient_commands},
      table<G>("greylist", greylist_settings, read_greylist),
      table<G>("virus", virus_settings),
      table<G>("spam", spam_settings),
      table<G>("blocklists", blocklists_settings),
      table<G>("redis", redis_settings, read_redis),
      table<G>("delivery", delivery_settings),
      table<G>("postfix", postfix_settings),
      table<G>("alerts", alerts_settings),
      table<G>("source", source_settings),
      table<G>("quarantine", quarantine_settings),
      table<G>("mailbox", mailbox_settings),
      table<G>("retention", retention_settings),
      Setting<G>{
          .key = "defaults", .type = SettingType::table, .example = {}, .read = nullptr},
  };
  return kRows;
}

}  // namespace mxfeed
