// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/load_gateway.h"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

#include "postfix-conf/config/settings.h"

namespace mxfeed {
namespace {

// [defaults.feed] or [defaults.backup]
void read_part(const Section& common, std::string_view service, TomlNode table,
               DomainSettings& settings) {
  const Entry entry(common, service, table);
  auto part = entry.table();
  if (!part) return;
  if (part->take("service")) {
    part->error("service", part->place_of("service"),
                "belongs in [defaults] or [[domain]]");
  }
  read_settings(*part, SettingsOf::defaults, settings);
}

Defaults read_defaults(Section& section, const DomainSettings& base, Problems& problems) {
  Defaults defaults{base, base, base};
  defaults.backup.queue_lifetime = std::chrono::hours(120);
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
    Section common(section, "defaults", *table);
    for (const std::string_view key : {"feed", "backup"}) common.take(key);
    read_settings(common, SettingsOf::defaults, settings);
    const auto part = service.empty() ? std::nullopt : table->member(service);
    problems.muted = false;
    if (part) read_part(common, service, *part, settings);
  };
  read(defaults.common, "");
  read(defaults.feed, "feed");
  read(defaults.backup, "backup");
  return defaults;
}

// Finds names that more than one of them has: of [[host]] or [[recipient_command]].
template <typename Named>
void check_names(const Section& section, std::string_view key, const Config& config,
                 const std::vector<Named>& all) {
  std::map<std::string_view, Place> first;
  for (const auto& one : all) {
    if (one.name.empty()) continue;
    const auto [same, is_new] = first.emplace(one.name, one.place);
    if (!is_new) {
      section.error(key, one.place,
                    fmt::format("{}: duplicate; first defined at {}", in_quotes(one.name),
                                config.describe(same->second)));
    }
  }
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
  for (const std::string_view key : {"domain", "customer"}) {
    if (const auto value = section.take(key)) {
      section.error(key, section.place_of(*value), "belongs in domains.d/*.toml");
    }
  }
  read_gateway_settings(section, config.gateway);
  auto defaults = read_defaults(section, config.gateway.base, problems);
  check_names(section, "host.name", config, config.gateway.hosts);
  check_names(section, "recipient_command.name", config,
              config.gateway.recipient_commands);
  return defaults;
}

}  // namespace mxfeed
