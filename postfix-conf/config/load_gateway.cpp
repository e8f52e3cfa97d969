// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/load_gateway.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.h"
#include "postfix-conf/config/settings.h"

namespace mxfeed {
namespace {

// "sqlite:FILE", not above the daemon's directory.
bool is_sqlite_path(std::string_view store) {
  constexpr std::string_view kScheme = "sqlite:";
  if (!store.starts_with(kScheme)) return false;
  const auto path = store.substr(kScheme.size());
  const auto parts = split(path, '/');
  return !parts.back().empty() &&
         std::find(parts.begin(), parts.end(), "..") == parts.end();
}

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::size_t kMaxList = 10'000;

std::string shown(std::string_view text) {
  return escape_untrusted(text.substr(0, 80));
}

template <typename T, typename U>
void set(T& field, const std::optional<Sourced<U>>& given) {
  if (given) field = static_cast<T>(given->value);
}

std::vector<Network> read_networks(Section& section, std::string_view key) {
  std::vector<Network> networks;
  const auto given = section.strings(key);
  if (!given) return networks;
  for (const auto& one : *given) {
    const auto network = Network::parse(one.value);
    if (!network) {
      section.error(
          key, one.place,
          fmt::format("\"{}\" is no network, as \"192.0.2.0/24\"", shown(one.value)));
    } else if (network->base !=
               IpAddress::parse(network->str().substr(0, network->str().find('/')))) {
      section.error(key, one.place,
                    fmt::format("\"{}\" has bits behind its prefix; did you mean \"{}\"?",
                                shown(one.value), network->str()));
    } else {
      networks.push_back(*network);
    }
  }
  if (networks.size() > kMaxList) {
    section.error(key, section.place(), fmt::format("more than {} networks", kMaxList));
  }
  return networks;
}

std::vector<std::string> read_names(Section& section, std::string_view key) {
  std::vector<std::string> names;
  const auto given = section.strings(key);
  if (!given) return names;
  for (const auto& one : *given) {
    const auto name = Domain::parse(one.value);
    if (!name || name->str().find('.') == std::string::npos) {
      section.error(
          key, one.place,
          fmt::format("\"{}\" is no fully qualified host name", shown(one.value)));
    } else {
      names.push_back(name->str());
    }
  }
  return names;
}

void read_hosts(Section& section, std::uint32_t file, Problems& problems,
                GatewayConfig& gateway) {
  for (const auto& table : section.tables("host")) {
    Section host(problems, table, "host");
    HostConfig read;
    const bool has_name = host.take("name").has_value();
    if (const auto name = host.text("name", 253)) {
      const auto parsed = Domain::parse(name->value);
      read.place = name->place;
      if (!parsed || parsed->str().find('.') == std::string::npos) {
        host.error(
            "name", name->place,
            fmt::format("\"{}\" is no fully qualified host name", shown(name->value)));
      } else {
        read.name = parsed->str();
      }
    } else if (!has_name) {
      host.error("name", host.place(), "missing");
    }
    if (const auto given = host.strings("addresses")) {
      for (const auto& one : *given) {
        if (const auto address = IpAddress::parse(one.value)) {
          read.addresses.push_back(*address);
        } else {
          host.error("addresses", one.place,
                     fmt::format("\"{}\" is no IP address", shown(one.value)));
        }
      }
    }
    host.finish();
    const auto same =
        std::find_if(gateway.hosts.begin(), gateway.hosts.end(),
                     [&](const HostConfig& other) { return other.name == read.name; });
    if (!read.name.empty() && same != gateway.hosts.end()) {
      host.error("name", read.place,
                 fmt::format("\"{}\" is there twice, first in line {}", read.name,
                             same->place.line));
    }
    read.place.file = file;
    gateway.hosts.push_back(std::move(read));
  }
}

void read_greylist(Section& section, GatewayConfig& gateway) {
  auto table = section.table("greylist");
  if (!table) return;
  auto& own = gateway.greylist;
  auto& defaults = gateway.greylist_defaults;
  if (const auto delay = table->duration("delay", seconds(0), hours(24))) {
    defaults.delay = delay->value;
    gateway.greylist_delay_place = delay->place;
  }
  const auto window = table->duration("retry_window", seconds(60), hours(24 * 30));
  set(defaults.retry_window, window);
  const auto keep = table->duration("keep", hours(1), hours(24 * 3650));
  set(defaults.keep, keep);
  if (defaults.delay >= defaults.retry_window) {
    table->error("delay", window ? window->place : gateway.greylist_delay_place,
                 fmt::format("must be below retry_window ({})",
                             format_duration(defaults.retry_window)));
  }
  if (defaults.retry_window > defaults.keep) {
    table->error("keep", keep ? keep->place : window->place,
                 fmt::format("must be at least retry_window ({})",
                             format_duration(defaults.retry_window)));
  }
  set(own.ipv4_prefix, table->number("ipv4_prefix", 8, 32));
  set(own.ipv6_prefix, table->number("ipv6_prefix", 16, 128));
  if (const auto code = table->number("code", 450, 451)) {
    own.code = static_cast<unsigned>(code->value);
  }
  if (auto text = table->text("text", 200)) own.text = text->value;
  if (const auto store = table->text("store", 500)) {
    if (store->value.starts_with("redis:") || store->value.starts_with("rediss:")) {
      table->error("store", store->place, "Redis is not built in this version");
    } else if (!is_sqlite_path(store->value)) {
      table->error("store", store->place,
                   fmt::format("\"{}\" is no store, as \"sqlite:greylist.db\" or "
                               "\"sqlite:/DIRECTORY/FILE\"",
                               shown(store->value)));
    } else {
      own.store = store->value;
    }
  }
  table->finish();
}

void read_virus(Section& section, GatewayPolicy::Virus& virus) {
  auto table = section.table("virus");
  if (!table) return;
  if (const auto database = table->text("database", 500)) {
    if (!database->value.starts_with('/')) {
      table->error("database", database->place, "must be an absolute path");
    }
    virus.database = database->value;
  }
  set(virus.workers, table->number("workers", 0, 1024));
  set(virus.max_scan_size, table->size("max_scan_size", 1 << 20, 4ull << 30));
  set(virus.max_file_size, table->size("max_file_size", 1 << 20, 2ull << 30));
  set(virus.max_files, table->number("max_files", 10, 10'000'000));
  set(virus.max_recursion, table->number("max_recursion", 2, 100));
  if (const auto time = table->duration("max_scan_time", seconds(1), seconds(240))) {
    virus.max_scan_time = time->value;
  }
  table->finish();
}

void read_spam(Section& section, GatewayConfig& gateway) {
  auto table = section.table("spam");
  if (!table) return;
  if (const auto engine = table->text("engine", 20)) {
    if (engine->value != "builtin" && engine->value != "rspamd" &&
        engine->value != "spamd") {
      table->error(
          "engine", engine->place,
          fmt::format("\"{}\" is none of builtin, rspamd, spamd", engine->value));
    } else if (engine->value != "builtin") {
      table->warn_no_effect("engine", engine->place);
    }
  }
  if (auto thresholds = table->table("thresholds")) {
    auto& begins = gateway.spam_begins;
    constexpr std::array<std::string_view, 3> kLevels{"low", "med", "high"};
    for (std::size_t i = 0; i < begins.size(); ++i) {
      set(begins[i], thresholds->real(kLevels[i], 0, 1));
    }
    if (!(begins[0] < begins[1] && begins[1] < begins[2])) {
      thresholds->error("", thresholds->place(),
                        fmt::format("spam.thresholds: must rise from low to high, not "
                                    "{}, {}, {}",
                                    begins[0], begins[1], begins[2]));
    }
    thresholds->finish();
  }
  if (const auto lists = table->take("lists")) {
    table->warn_no_effect("lists", table->place_of(*lists));
    table->strings("lists");
  }
  table->finish();
}

// Postfix's form "zone=answers"; the answers are octets, numbers or [n..m] and [n;m].
bool is_blocklist(std::string_view text, std::string& cause) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) {
    cause =
        "without a mask of answers any answer would block, even \"over quota\"; "
        "write \"zone=127.0.0.[2..11]\"";
    return false;
  }
  if (!Domain::parse(text.substr(0, equals))) {
    cause = "the zone is no domain name";
    return false;
  }
  const auto mask = text.substr(equals + 1);
  unsigned octets = 1;
  int depth = 0;
  for (const char c : mask) {
    if (c == '[' && ++depth > 1) break;
    if (c == ']' && --depth < 0) break;
    if (c == '.' && depth == 0) ++octets;
    if ((c < '0' || c > '9') && c != '.' && c != ';' && c != '[' && c != ']') depth = 9;
  }
  if (depth != 0 || octets != 4 || !mask.starts_with("127.")) {
    cause = "the mask of answers must be as \"127.0.0.[2..11]\"";
    return false;
  }
  return true;
}

void read_blocklists(Section& section) {
  auto table = section.table("blocklists");
  if (!table) return;
  for (const std::string_view key : {"reject", "score"}) {
    const auto given = table->strings(key);
    if (!given) continue;
    if (!given->empty()) table->warn_no_effect(key, given->front().place);
    for (const auto& one : *given) {
      std::string cause;
      if (!is_blocklist(one.value, cause)) {
        table->error(key, one.place, fmt::format("\"{}\": {}", shown(one.value), cause));
      }
    }
  }
  table->finish();
}

void read_postfix(Section& section, GatewayConfig& gateway) {
  auto table = section.table("postfix");
  if (!table) return;
  set(gateway.smtputf8, table->flag("smtputf8"));
  if (const auto scan = table->flag("scan_other_mail"); scan && scan->value) {
    table->warn_no_effect("scan_other_mail", scan->place);
  }
  for (const std::string_view key : {"verifiers", "sealers"}) {
    const auto given = table->strings(key);
    if (given && !given->empty()) table->warn_no_effect(key, given->front().place);
  }
  table->finish();
}

Defaults read_defaults(Section& section, Problems& problems) {
  Defaults defaults;
  defaults.backup.queue_lifetime.value = hours(120);
  const auto table = section.take("defaults");
  if (!table) return defaults;
  if (table->kind() != TomlNode::Kind::table) {
    section.wrong_kind("defaults", *table, "a table");
    return defaults;
  }
  // The common part is read over each service's built-in values; its problems are noted
  // the first time only.
  const auto read = [&](DomainSettings& settings, std::string_view service) {
    problems.muted = !service.empty();
    auto common = *section.table("defaults");
    read_settings(common, SettingsOf::defaults, settings);
    for (const std::string_view key : {"feed", "backup"}) {
      auto part = common.table(key);
      if (!part || key != service) continue;
      problems.muted = false;
      const Service before = settings.service.value;
      read_settings(*part, SettingsOf::defaults, settings);
      if (part->take("service")) {
        part->error("service", settings.service.place,
                    "belongs in [defaults] or [[domain]]");
        settings.service.value = before;
      }
      part->finish();
      problems.muted = true;
    }
    common.finish();
  };
  read(defaults.common, "");
  read(defaults.feed, "feed");
  read(defaults.backup, "backup");
  problems.muted = false;
  return defaults;
}

}  // namespace

const DomainSettings& Defaults::of(Service service) const {
  switch (service) {
    case Service::feed:
      return feed;
    case Service::backup:
      return backup;
    case Service::direct:
    case Service::mailbox:
      break;
  }
  return common;
}

Defaults read_gateway(TomlNode root, Problems& problems, Config& config) {
  Section section(problems, root, "");
  auto& gateway = config.gateway;
  gateway.mx = read_names(section, "mx");
  gateway.backup_mx = read_names(section, "backup_mx");
  gateway.allow_private = read_networks(section, "allow_private");
  gateway.trusted_networks = read_networks(section, "trusted_networks");
  read_hosts(section, problems.file, problems, gateway);
  read_greylist(section, gateway);
  read_virus(section, gateway.virus);
  read_spam(section, gateway);
  read_blocklists(section);
  read_postfix(section, gateway);
  for (const std::string_view key : {"domain", "customer"}) {
    if (const auto value = section.take(key)) {
      section.error(key, section.place_of(*value), "belongs into domains.d/*.toml");
    }
  }
  auto defaults = read_defaults(section, problems);
  section.finish();
  return defaults;
}

}  // namespace mxfeed
