// SPDX-License-Identifier: GPL-2.0-or-later
//
// Keys of [[domain]] that say where its mail goes, for whom, and how.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "common/base/text.h"
#include "postfix-conf/config/parsed.h"
#include "postfix-conf/config/settings.h"
#include "postfix-conf/config/settings/rows.h"
#include "postfix-conf/config/settings/tables.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMaxServers = 32;
constexpr std::size_t kMaxRecipients = 100'000;
constexpr std::size_t kMaxLocalPart = 256;
constexpr std::uint16_t kSmtpPort = 25;

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto number = parse_unsigned(text);
  if (!number || *number == 0 || *number > 65'535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

constexpr std::string_view kWrongPort = "the port must be from 1 to 65535";

// An IPv6 address that is not in brackets: its end may be a port.
Wrong wants_brackets(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto address = text.substr(0, colon);
  const auto port = text.substr(colon + 1);
  const bool may_be_port = IpAddress::parse(address) && parse_port(port);
  if (!IpAddress::parse(text)) {
    if (!may_be_port) return {std::string(kWrongPort)};
    return {
        fmt::format("an IPv6 address must be in brackets: \"[{}]:{}\"", address, port)};
  }
  if (!may_be_port) {
    return {fmt::format("an IPv6 address must be in brackets: \"[{}]\"", text)};
  }
  return {
      fmt::format("an IPv6 address must be in brackets: \"[{}]:{}\" if {} is the port, "
                  "\"[{}]\" if it is part of the address",
                  address, port, port, text)};
}

bool looks_like_name(std::string_view text) {
  return Domain::parse(text) && text.find_first_not_of("0123456789.") != text.npos;
}

Wrong no_address(std::string_view text) {
  if (text == "mx") {
    return {"must stand alone, not in an array: deliver_to = \"mx\""};
  }
  if (looks_like_name(text)) {
    return {
        fmt::format("a name must be in brackets, since its MX records do not count: "
                    "\"[{}]:25\"",
                    text)};
  }
  return {"not an IP address, such as \"192.0.2.7\" or \"[2001:db8::7]:2525\""};
}

// What is in brackets.
Parsed<std::variant<IpAddress, std::string>> parse_host(std::string_view text) {
  if (const auto address = IpAddress::parse(text)) return {*address};
  const auto name = Domain::parse(text);
  if (!name || !looks_like_name(text)) {
    return Wrong{
        "neither an IP address nor a host name, such as \"[2001:db8::7]:2525\" or "
        "\"[mail.acme.example]:25\""};
  }
  if (name->str().find('.') == std::string::npos) {
    return Wrong{"a host name must have at least two labels"};
  }
  return {name->str()};
}

// "192.0.2.7", "192.0.2.7:2525", "[2001:db8::7]", "[2001:db8::7]:2525",
// "[mail.acme.example]", "[mail.acme.example]:2525".
Parsed<Endpoint> parse_endpoint(std::string_view text) {
  std::string_view address = text;
  std::optional<std::string_view> port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return Wrong{"no closing bracket"};
    address = text.substr(1, end - 1);
    const auto rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') {
      return Wrong{"only \":PORT\" may follow the bracket"};
    }
    if (!rest.empty()) port = rest.substr(1);
  } else if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    address = text.substr(0, colon);
    port = text.substr(colon + 1);
    const bool is_ipv6 = address.find(':') != std::string_view::npos;
    if (is_ipv6 && (IpAddress::parse(text) || IpAddress::parse(address))) {
      return wants_brackets(text);
    }
  }
  std::variant<IpAddress, std::string> host = std::string();
  if (text.starts_with('[')) {
    const auto parsed = parse_host(address);
    if (!parsed) return Wrong{parsed.cause()};
    host = *parsed;
  } else if (const auto parsed = IpAddress::parse(address)) {
    host = *parsed;
  } else {
    return no_address(address);
  }
  if (!port) return Endpoint{std::move(host), kSmtpPort};
  const auto number = parse_port(*port);
  if (!number) return Wrong{std::string(kWrongPort)};
  return Endpoint{std::move(host), *number};
}

struct TlsTable {
  std::string level, name, fingerprint;
};

Settings<TlsTable> tls_settings() {
  static constexpr std::array kRows{
      text<&TlsTable::level>("level", 20, R"("verify")"),
      text<&TlsTable::name>("name", 253, R"("mail.acme.example")"),
      text<&TlsTable::fingerprint>("fingerprint", 200, R"("3D:95:34:51:...")"),
  };
  return kRows;
}

bool needs_name(std::string_view level) {
  return level == "verify" || level == "dane";
}

// SHA-256: 32 octets in hexadecimal, with colons between them.
bool is_fingerprint(std::string_view text) {
  const auto octets = split(text, ':');
  return octets.size() == 32 &&
         std::all_of(octets.begin(), octets.end(), [](std::string_view one) {
           return one.size() == 2 && hex_digit(one[0]) >= 0 && hex_digit(one[1]) >= 0;
         });
}

// As in smtp_tls_policy_maps (TLS_README).
std::string policy_of(const TlsTable& tls) {
  if (tls.level.empty()) return fmt::format("fingerprint match={}", tls.fingerprint);
  if (tls.level != "verify") return tls.level;
  const auto name = Domain::parse(tls.name);
  return fmt::format("verify match={}", name ? name->str() : "");
}

void check_tls(const Section& table, const TlsTable& tls) {
  constexpr std::array<std::string_view, 4> kLevels{"may", "encrypt", "verify", "dane"};
  const auto place = table.place_of("level");
  if (!tls.name.empty() && !Domain::parse(tls.name)) {
    table.error("name", table.place_of("name"),
                fmt::format("{} is not a host name", in_quotes(tls.name)));
  }
  if (!tls.fingerprint.empty() && !is_fingerprint(tls.fingerprint)) {
    table.error("fingerprint", table.place_of("fingerprint"),
                fmt::format("must be that of SHA-256, 32 octets such as \"3D:95:...\", "
                            "not {}",
                            in_quotes(tls.fingerprint)));
  }
  if (table.has("level") == table.has("fingerprint")) {
    table.error("", table.place(), "must have either level or fingerprint");
  } else if (tls.level.empty()) {
    return;
  } else if (std::find(kLevels.begin(), kLevels.end(), tls.level) == kLevels.end()) {
    table.error(
        "level", place,
        fmt::format("must be {}, not {}", alternatives(kLevels), in_quotes(tls.level)));
  } else if (needs_name(tls.level) && !table.has("name")) {
    table.error("level", place,
                fmt::format("\"{}\" needs the name in the server's certificate: name = "
                            "\"mail.acme.example\"",
                            tls.level));
  }
}

}  // namespace

bool is_local_part(std::string_view text) {
  const auto path = Path::parse(text);
  return path && path->domain.empty() && !path->local_part.empty() &&
         path->local_part == text && text.size() <= kMaxLocalPart &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c <= '~'; });
}

bool is_mailbox_user(std::string_view text) {
  constexpr std::string_view kMore = "._=-";  // Dovecot cuts "+" off
  const auto is_first = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c); };
  return !text.empty() && is_first(text.front()) && text.back() != '.' &&
         text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_first(c) || kMore.find(c) != std::string_view::npos;
         });
}

void read_servers(const Entry& entry, const Setting<DomainSettings>& row,
                  DomainSettings& settings) {
  settings.deliver_to_mx = false;
  if (entry.kind() == TomlNode::Kind::string && entry.string() == "mx") {
    settings.deliver_to.clear();
    settings.deliver_to_mx = true;
    return;
  }
  const auto given = entry.strings();
  if (!given) return;
  std::vector<Endpoint> servers;
  for (const auto& one : *given) {
    const auto server = parse_endpoint(one.value);
    if (!server) {
      entry.error(one.place, fmt::format("{}: {}", in_quotes(one.value), server.cause()));
    } else if (std::find(servers.begin(), servers.end(), *server) != servers.end()) {
      entry.error(one.place, fmt::format("{}: duplicate", in_quotes(one.value)));
    } else {
      servers.push_back(*server);
    }
  }
  if (given->empty()) entry.error("must not be empty");
  if (servers.size() > kMaxServers) {
    entry.error(fmt::format("must not have more than {} servers", kMaxServers));
  }
  settings.deliver_to = std::move(servers);
  if (!given->empty()) settings.places.set(row, given->front().place);
}

void read_recipients(const Entry& entry, const Setting<DomainSettings>&,
                     DomainSettings& settings) {
  auto& recipients = settings.recipients;
  if (entry.kind() == TomlNode::Kind::array) {
    const auto list = *entry.strings();
    settings.recipient_list.clear();
    for (const auto& one : list) {
      if (is_local_part(one.value)) {
        settings.recipient_list.push_back(ascii_lower(one.value));
      } else {
        entry.error(one.place,
                    fmt::format("{} is not a local part", in_quotes(one.value)));
      }
    }
    if (list.empty()) entry.error("must not be empty: all mail would be refused");
    if (list.size() > kMaxRecipients) {
      entry.error("too many; put them into a file and give \"file:NAME\"");
    }
    recipients = fmt::format("list of {}", list.size());
  } else if (entry.kind() != TomlNode::Kind::string) {
    return entry.wrong_kind("a string or an array of strings");
  } else if (const auto text = entry.text(300)) {
    const auto has_name_after = [&](std::string_view prefix) {
      return text->starts_with(prefix) && text->size() > prefix.size();
    };
    if (!has_name_after("file:") && !has_name_after("command:") && *text != "any" &&
        *text != "callout") {
      entry.error(
          fmt::format("must be \"any\", \"callout\", \"file:NAME\", \"command:NAME\" "
                      "or a list of local parts, not {}",
                      in_quotes(*text)));
    }
    recipients = *text;
    settings.recipient_list.clear();
  }
}

void read_tls(const Entry& entry, const Setting<DomainSettings>&,
              DomainSettings& settings) {
  if (entry.kind() == TomlNode::Kind::table) {
    auto table = *entry.table();
    TlsTable tls;
    table.read(tls_settings(), SettingsOf::domain, tls);
    check_tls(table, tls);
    settings.tls = policy_of(tls);
  } else if (entry.kind() != TomlNode::Kind::string) {
    entry.wrong_kind("a string or a table");
  } else if (const auto text = entry.text(20)) {
    if (needs_name(*text)) {
      entry.error(
          fmt::format("\"{0}\" needs the server's name: {{ level = \"{0}\", name = "
                      "\"mail.acme.example\" }}",
                      *text));
    } else if (*text != "may" && *text != "encrypt") {
      entry.error(fmt::format("must be \"may\", \"encrypt\" or a table, not {}",
                              in_quotes(*text)));
    }
    settings.tls = *text;
  }
}

}  // namespace mxfeed
