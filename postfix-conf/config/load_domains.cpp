// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/load_domains.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "postfix-conf/config/settings.h"

namespace mxfeed {
namespace {

std::optional<CustomerConfig> read_customer(Section& file, Problems& problems) {
  const auto value = file.take("customer");
  if (!value) return std::nullopt;
  if (value->kind() != TomlNode::Kind::table) {
    file.wrong_kind("customer", *value, "a table");
    return std::nullopt;
  }
  Section section(problems, *value, "customer");
  return read_customer(section);
}

// Stores the settings, or finds equal ones.
const DomainSettings* store(DomainSettings settings, std::list<DomainSettings>& all) {
  // The settings in a file are mostly equal.
  constexpr std::size_t kCompared = 16;
  std::size_t compared = 0;
  for (auto one = all.rbegin(); one != all.rend() && compared < kCompared; ++one) {
    if (*one == settings) return &*one;
    ++compared;
  }
  return &all.emplace_back(std::move(settings));
}

DomainConfig read_domain(TomlNode table, const Defaults& defaults, Problems& problems,
                         std::list<DomainSettings>& all) {
  DomainConfig domain;
  const auto given = table.member("name");
  if (given && given->kind() == TomlNode::Kind::string) {
    if (const auto name = Domain::parse(given->string())) domain.name = name->str();
  }
  Section section(problems, table, "domain", domain.name);
  domain.place = given ? section.place_of(*given) : section.place();
  if (!given) {
    section.error("name", domain.place, "missing");
  } else if (given->kind() != TomlNode::Kind::string) {
    section.wrong_kind("name", *given, "a string");
  } else if (domain.name.empty()) {
    section.error("name", domain.place,
                  fmt::format("{} is not a domain name", in_quotes(given->string())));
  } else if (domain.name.find('.') == std::string::npos) {
    section.error("name", domain.place, "must have at least two labels");
  }
  Service service = defaults.common.service;
  if (const auto own = table.member("service");
      own && own->kind() == TomlNode::Kind::string) {
    for (const Service one :
         {Service::feed, Service::backup, Service::direct, Service::mailbox}) {
      if (own->string() == to_string(one)) service = one;
    }
  }
  DomainSettings settings = defaults.of(service);
  read_settings(section, SettingsOf::domain, settings);
  domain.deliver_to = std::exchange(settings.deliver_to, {});
  settings.places.make_relative(domain.place);
  domain.settings = store(std::move(settings), all);
  return domain;
}

}  // namespace

DomainsFile read_domains(TomlNode root, const Defaults& defaults, Problems& problems,
                         std::list<DomainSettings>& settings) {
  DomainsFile file;
  Section section(problems, root, "");
  file.customer = read_customer(section, problems);
  const auto given = section.table().member("domain");
  // A row of [source] may have one domain.
  const bool is_one =
      problems.row != 0 && given && given->kind() == TomlNode::Kind::table;
  std::vector<Section> tables;
  if (is_one) {
    tables.emplace_back(section, "domain", *section.take("domain"));
  } else {
    tables = section.take_tables("domain");
  }
  file.domains.reserve(tables.size());
  for (const auto& table : tables) {
    file.domains.push_back(read_domain(table.table(), defaults, problems, settings));
  }
  section.finish();
  return file;
}

}  // namespace mxfeed
