// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/text.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::size_t kMaxServers = 32;
constexpr std::size_t kMaxHeader = 200;
constexpr std::size_t kMaxSubject = 100;
constexpr std::size_t kMaxRequested = 200;
constexpr std::size_t kMaxRecipients = 100'000;
constexpr std::uint16_t kSmtpPort = 25;
constexpr seconds kLeastLifetime = hours(1);
constexpr seconds kMostLifetime = hours(24 * 100);  // Postfix's own limit
constexpr std::uint64_t kLeastSize = 64 << 10;      // RFC 5321, 4.5.3.1.7: 64K octets
constexpr std::uint64_t kMostSize = std::uint64_t{1} << 30;

constexpr std::array kServices{Service::feed, Service::backup, Service::direct,
                               Service::mailbox};
constexpr std::array kStates{DomainState::active, DomainState::paused,
                             DomainState::protect, DomainState::removed};
constexpr std::array kBlocklist{Blocklist::off, Blocklist::score, Blocklist::reject};
constexpr std::array kOnRefusal{OnRefusal::bounce, OnRefusal::bounce_verified,
                                OnRefusal::hold};
constexpr std::array kWhen{GreylistWhen::always, GreylistWhen::suspicious,
                           GreylistWhen::never};
constexpr std::array kVirusActions{VirusAction::discard, VirusAction::reject,
                                   VirusAction::quarantine};
constexpr std::array kEncryptedActions{EncryptedAction::header, EncryptedAction::reject};
constexpr std::array kSpamActions{SpamAction::none,    SpamAction::header,
                                  SpamAction::subject, SpamAction::discard,
                                  SpamAction::reject,  SpamAction::quarantine};

template <typename T>
void set(Sourced<T>& setting, std::optional<Sourced<T>> given) {
  if (given) setting = *std::move(given);
}

// "192.0.2.7", "192.0.2.7:2525", "[2001:db8::7]", "[2001:db8::7]:2525"; else what is
// wrong, in `cause`.
std::optional<Endpoint> parse_endpoint(std::string_view text, std::string& cause) {
  std::string_view address = text;
  std::string_view port;
  bool has_port = false;
  const bool bracketed = text.starts_with('[');
  if (bracketed) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) {
      cause = "no closing bracket";
      return std::nullopt;
    }
    address = text.substr(1, end - 1);
    has_port = end + 1 < text.size();
    if (has_port && text[end + 1] != ':') {
      cause = "only \":PORT\" may follow the bracket";
      return std::nullopt;
    }
    if (has_port) port = text.substr(end + 2);
  } else if (IpAddress::parse(text)) {
    if (text.find(':') != std::string_view::npos) {
      cause = fmt::format("an IPv6 address stands in brackets: \"[{}]\"", text);
      return std::nullopt;
    }
  } else if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    address = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  const auto parsed = IpAddress::parse(address);
  if (!parsed) {
    cause = Domain::parse(address)
                ? "a name; give the server's IP address, so that DNS cannot divert mail"
                : "not an IP address, as \"192.0.2.7\" or \"[2001:db8::7]:2525\"";
    return std::nullopt;
  }
  if (!bracketed && address.find(':') != std::string_view::npos) {
    cause = fmt::format("an IPv6 address stands in brackets: \"[{}]\"", address);
    return std::nullopt;
  }
  if (!has_port) return Endpoint{*parsed, kSmtpPort};
  const auto number = parse_unsigned(port);
  if (!number || *number == 0 || *number > 65'535) {
    cause = "the port must be from 1 to 65535";
    return std::nullopt;
  }
  return Endpoint{*parsed, static_cast<std::uint16_t>(*number)};
}

void read_servers(Section& section, DomainSettings& settings) {
  const auto given = section.strings("deliver_to");
  if (!given) return;
  std::vector<Endpoint> servers;
  for (const auto& one : *given) {
    const auto shown = escape_untrusted(std::string_view(one.value).substr(0, 80));
    std::string cause;
    const auto server = parse_endpoint(one.value, cause);
    if (!server) {
      section.error("deliver_to", one.place, fmt::format("\"{}\": {}", shown, cause));
    } else if (std::find(servers.begin(), servers.end(), *server) != servers.end()) {
      section.error("deliver_to", one.place, fmt::format("\"{}\" is there twice", shown));
    } else {
      servers.push_back(*server);
    }
  }
  const Place place = given->empty() ? section.place() : given->front().place;
  if (given->empty()) section.error("deliver_to", place, "no server in it");
  if (servers.size() > kMaxServers) {
    section.error("deliver_to", place, fmt::format("more than {} servers", kMaxServers));
  }
  settings.deliver_to = {std::move(servers), place};
}

void read_greylist(Section& section, DomainSettings& settings) {
  const auto value = section.take("greylist");
  if (!value) return;
  if (value->kind() == TomlNode::Kind::boolean) {
    settings.greylist_when = {
        value->boolean() ? GreylistWhen::always : GreylistWhen::never,
        section.place_of(*value)};
    return;
  }
  if (value->kind() != TomlNode::Kind::table) {
    section.wrong_kind("greylist", *value, "true, false or a table");
    return;
  }
  auto table = *section.table("greylist");
  set(settings.greylist_when, table.one_of("when", kWhen));
  set(settings.greylist_shadow, table.flag("shadow"));
  if (const auto delay = table.duration("delay", seconds(0), hours(24))) {
    settings.greylist_delay = {delay->value, delay->place};
  }
  table.finish();
}

// RFC 5322, 3.6.8: a field name is printable ASCII without colon.
bool is_header_field(std::string_view text) {
  const auto colon = text.find(':');
  return colon != std::string_view::npos && colon > 0 && colon <= 64 &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return c > ' ' && c <= '~'; }) &&
         !trim(text.substr(colon + 1)).empty();
}

void read_rule(Section& spam, std::string_view level, Sourced<SpamRule>& rule) {
  auto table = spam.table(level);
  if (!table) return;
  const bool has_action = table->take("action").has_value();
  const auto action = table->one_of("action", kSpamActions);
  auto text = table->text("text", std::max(kMaxHeader, kMaxSubject));
  table->finish();
  if (!has_action) table->error("action", table->place(), "missing");
  if (!action) return;
  rule = {{action->value, ""}, action->place};
  switch (action->value) {
    case SpamAction::header:
      rule.value.text = text ? text->value : fmt::format("X-Mxfeed-Spam: {}", level);
      if (!is_header_field(rule.value.text)) {
        table->error("text", text->place,
                     "must be a header field such as \"X-Mxfeed-Spam: high\"");
      }
      return;
    case SpamAction::subject:
      rule.value.text = text ? text->value : fmt::format("[SPAM: {}] ", level);
      if (rule.value.text.size() > kMaxSubject) {
        table->error("text", text->place,
                     fmt::format("longer than {} characters", kMaxSubject));
      }
      return;
    case SpamAction::none:
    case SpamAction::discard:
    case SpamAction::reject:
    case SpamAction::quarantine:
      if (text) {
        table->error("text", text->place,
                     fmt::format("action \"{}\" has no text", word(action->value)));
      }
      return;
  }
}

void read_spam(Section& section, DomainSettings& settings) {
  auto table = section.table("spam");
  if (!table) return;
  set(settings.spam_enabled, table->flag("enabled"));
  if (const auto immature = table->text("immature", 20)) {
    if (immature->value == "act" || immature->value == "wait") {
      settings.spam_immature_acts = {immature->value == "act", immature->place};
    } else {
      table->error("immature", immature->place,
                   fmt::format("\"{}\" is none of act, wait", immature->value));
    }
  }
  read_rule(*table, "low", settings.spam_low);
  read_rule(*table, "med", settings.spam_med);
  read_rule(*table, "high", settings.spam_high);
  table->finish();
}

void read_recipients(Section& section, DomainSettings& settings) {
  const auto value = section.take("recipients");
  if (!value) return;
  const Place place = section.place_of(*value);
  if (value->kind() == TomlNode::Kind::array) {
    const auto list = *section.strings("recipients");
    for (const auto& one : list) {
      if (!Path::parse(one.value) || one.value.find('@') != std::string::npos) {
        section.error("recipients", one.place,
                      fmt::format("\"{}\" is no local part",
                                  escape_untrusted(one.value.substr(0, 80))));
      }
    }
    if (list.size() > kMaxRecipients) {
      section.error("recipients", place,
                    "too many; put them into a file and give \"file:NAME\"");
    }
    settings.recipients = {fmt::format("list of {}", list.size()), place};
  } else if (const auto text = section.text("recipients", 300)) {
    const bool file = text->value.starts_with("file:") && text->value.size() > 5;
    if (!file && text->value != "any" && text->value != "callout") {
      section.error("recipients", place,
                    fmt::format("\"{}\" is none of any, callout, file:NAME or a list",
                                text->value));
    }
    settings.recipients = *text;
  }
  if (settings.recipients.value != "any") section.warn_no_effect("recipients", place);
}

void read_tls(Section& section, DomainSettings& settings) {
  const auto value = section.take("tls");
  if (!value) return;
  const Place place = section.place_of(*value);
  section.warn_no_effect("tls", place);
  if (value->kind() == TomlNode::Kind::table) {
    auto table = *section.table("tls");
    const auto level = table.text("level", 20);
    const auto name = table.text("name", 253);
    const auto fingerprint = table.text("fingerprint", 200);
    table.finish();
    if (name && !Domain::parse(name->value)) {
      table.error("name", name->place, "not a host name");
    }
    if (level.has_value() == fingerprint.has_value()) {
      table.error("", place, "tls: give either level or fingerprint");
    } else if (level && level->value != "verify" && level->value != "dane" &&
               level->value != "may" && level->value != "encrypt") {
      table.error(
          "level", level->place,
          fmt::format("\"{}\" is none of may, encrypt, verify, dane", level->value));
    } else if (level && (level->value == "verify" || level->value == "dane") && !name) {
      table.error("level", level->place,
                  fmt::format("\"{}\" needs the server's name, since deliver_to is an "
                              "address: name = \"mail.example.com\"",
                              level->value));
    }
    settings.tls = {level ? level->value : "fingerprint", place};
  } else if (const auto text = section.text("tls", 20)) {
    if (text->value == "verify" || text->value == "dane") {
      section.error("tls", place,
                    fmt::format("\"{0}\" needs the server's name: {{ level = \"{0}\", "
                                "name = \"mail.example.com\" }}",
                                text->value));
    } else if (text->value != "may" && text->value != "encrypt") {
      section.error(
          "tls", place,
          fmt::format("\"{}\" is none of may, encrypt or a table", text->value));
    }
    settings.tls = *text;
  }
}

void read_mailboxes(Section& section) {
  const auto value = section.take("mailbox");
  if (!value) return;
  section.warn_no_effect("mailbox", section.place_of(*value));
  // The passwords are checked by what will use them.
  for (const auto& box : section.tables("mailbox")) {
    for (const auto* key : {"user", "password"}) {
      const auto given = box.member(key);
      if (!given || given->kind() != TomlNode::Kind::string || given->string().empty()) {
        section.error("mailbox", section.place_of(box),
                      fmt::format("{}: must be there, a string", key));
      }
    }
    box.each_member([&](std::string_view key, std::uint32_t, TomlNode) {
      if (key != "user" && key != "password") {
        section.error(
            "mailbox", section.place_of(box),
            fmt::format("{}: unknown key", escape_untrusted(key.substr(0, 80))));
      }
    });
  }
}

// What is read and checked, though its effect is not built.
void read_without_effect(Section& section, SettingsOf kind, DomainSettings& settings) {
  if (const auto given = section.flag("standby_mailboxes")) {
    settings.standby_mailboxes = *given;
    if (given->value) section.warn_no_effect("standby_mailboxes", given->place);
  }
  if (const auto given = section.one_of("blocklist", kBlocklist)) {
    settings.blocklist = *given;
    if (given->value != Blocklist::off) section.warn_no_effect("blocklist", given->place);
  }
  if (const auto given = section.one_of("on_refusal", kOnRefusal)) {
    settings.on_refusal = *given;
    if (given->value != OnRefusal::bounce) {
      section.warn_no_effect("on_refusal", given->place);
    }
  }
  read_recipients(section, settings);
  read_tls(section, settings);
  if (kind == SettingsOf::domain) read_mailboxes(section);
}

std::string show(bool value) {
  return value ? "true" : "false";
}

std::string show(const SpamRule& rule) {
  return rule.text.empty() ? std::string(word(rule.action))
                           : fmt::format("{}, \"{}\"", word(rule.action), rule.text);
}

std::string show(const std::vector<Endpoint>& servers) {
  std::string all;
  for (const auto& server : servers) {
    if (!all.empty()) all += ", ";
    all += server.str();
  }
  return all.empty() ? "none" : all;
}

}  // namespace

void read_settings(Section& section, SettingsOf kind, DomainSettings& settings) {
  set(settings.service, section.one_of("service", kServices));
  if (settings.service.value == Service::mailbox && settings.service.place.line != 0) {
    section.error("service", settings.service.place,
                  "\"mailbox\" is not built in this version");
  }
  read_servers(section, settings);
  set(settings.state, section.one_of("state", kStates));
  set(settings.subdomains, section.flag("subdomains"));
  if (kind == SettingsOf::domain) {
    set(settings.requested, section.text("requested", kMaxRequested));
  }
  set(settings.queue_lifetime,
      section.duration("queue_lifetime", kLeastLifetime, kMostLifetime));
  set(settings.max_size, section.size("max_size", kLeastSize, kMostSize));
  read_greylist(section, settings);
  if (auto virus = section.table("virus")) {
    set(settings.virus_infected, virus->one_of("infected", kVirusActions));
    set(settings.virus_unscannable, virus->one_of("unscannable", kVirusActions));
    set(settings.virus_encrypted, virus->one_of("encrypted", kEncryptedActions));
    virus->finish();
  }
  read_spam(section, settings);
  read_without_effect(section, kind, settings);
}

std::vector<ShownSetting> list_settings(const DomainSettings& s,
                                        const GatewayConfig& gateway) {
  const auto& own_delay = s.greylist_delay;
  const seconds delay = own_delay.value.value_or(gateway.greylist_defaults.delay);
  return {
      {"service", std::string(word(s.service.value)), s.service.place},
      {"deliver_to", show(s.deliver_to.value), s.deliver_to.place},
      {"state", std::string(word(s.state.value)), s.state.place},
      {"subdomains", show(s.subdomains.value), s.subdomains.place},
      {"requested", s.requested.value, s.requested.place},
      {"queue_lifetime", format_duration(s.queue_lifetime.value), s.queue_lifetime.place},
      {"max_size", fmt::format("{}", s.max_size.value), s.max_size.place},
      {"greylist.when", std::string(word(s.greylist_when.value)), s.greylist_when.place},
      {"greylist.shadow", show(s.greylist_shadow.value), s.greylist_shadow.place},
      {"greylist.delay", format_duration(delay),
       own_delay.value ? own_delay.place : gateway.greylist_delay_place},
      {"virus.infected", std::string(word(s.virus_infected.value)),
       s.virus_infected.place},
      {"virus.unscannable", std::string(word(s.virus_unscannable.value)),
       s.virus_unscannable.place},
      {"virus.encrypted", std::string(word(s.virus_encrypted.value)),
       s.virus_encrypted.place},
      {"spam.enabled", show(s.spam_enabled.value), s.spam_enabled.place},
      {"spam.immature", s.spam_immature_acts.value ? "act" : "wait",
       s.spam_immature_acts.place},
      {"spam.low", show(s.spam_low.value), s.spam_low.place},
      {"spam.med", show(s.spam_med.value), s.spam_med.place},
      {"spam.high", show(s.spam_high.value), s.spam_high.place},
      {"recipients", s.recipients.value, s.recipients.place},
      {"blocklist", std::string(word(s.blocklist.value)), s.blocklist.place},
      {"on_refusal", std::string(word(s.on_refusal.value)), s.on_refusal.place},
      {"tls", s.tls.value, s.tls.place},
      {"standby_mailboxes", show(s.standby_mailboxes.value), s.standby_mailboxes.place},
  };
}

}  // namespace mxfeed
