// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/settings.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "common/base/text.h"
#include "postfix-conf/config/settings/tables.h"

namespace mxfeed {
namespace {

std::string limits_of(SettingType type, std::uint64_t least, std::uint64_t most) {
  if (most == 0) return {};
  switch (type) {
    case SettingType::integer:
      return fmt::format("from {} to {}", least, most);
    case SettingType::duration:
      return fmt::format("from {} to {}", format_duration(std::chrono::seconds(least)),
                         format_duration(std::chrono::seconds(most)));
    case SettingType::size:
      return fmt::format("from {} to {}", format_size(least), format_size(most));
    case SettingType::string:
      return fmt::format("up to {} characters", most);
    case SettingType::flag:
    case SettingType::real:
    case SettingType::time:
    case SettingType::strings:
    case SettingType::table:
    case SettingType::tables:
      break;
  }
  return {};
}

// Calls visit(row, path of its table, has_effect) for every row that is not a table; a
// row of a table without effect has none.
template <typename T, typename Visit>
void each_row(Settings<T> rows, const std::string& path, Visit visit,
              bool has_effect = true) {
  for (const auto& row : rows) {
    const bool row_has_effect = row.has_effect && has_effect;
    if (row.rows != nullptr) {
      each_row(row.rows(), path + std::string(row.key) + ".", visit, row_has_effect);
    } else if (row.type != SettingType::tables && row.type != SettingType::table) {
      visit(row, path, row_has_effect);
    }
  }
}

template <typename T>
void add_infos(Settings<T> rows, const std::string& prefix, const char* brackets,
               std::vector<SettingInfo>& infos) {
  const auto add = [&](const Setting<T>& row, const std::string& path,
                       bool row_has_effect) {
    const T built_in{};
    const bool is_top = path == prefix;
    const auto name = path.substr(0, path.empty() ? 0 : path.size() - 1);
    infos.push_back({
        .table = name.empty() ? ""
                 : is_top     ? fmt::format(fmt::runtime(brackets), name)
                              : fmt::format("[{}]", name),
        .key = std::string(row.key),
        .type = row.type,
        .limits = limits_of(row.type, row.least, row.most),
        .built_in = row.value == nullptr ? Json() : row.value(built_in),
        .example = std::string(row.example),
        .has_effect = row_has_effect,
    });
  };
  each_row(rows, prefix, add);
}

// What holds for all domains has a place of its own.
void refuse_sender_lists(const Section& defaults) {
  const auto greylist = defaults.table().member("greylist");
  if (!greylist || greylist->kind() != TomlNode::Kind::table) return;
  for (const std::string_view key : {"allow", "deny"}) {
    const auto list = greylist->member(key);
    if (!list) continue;
    defaults.error(fmt::format("greylist.{}", key), defaults.place_of(*list),
                   "belongs in [greylist], for all domains, or in a [[domain]]");
  }
}

}  // namespace

std::string_view to_string(SettingType type) {
  switch (type) {
    case SettingType::flag:
      return "true or false";
    case SettingType::integer:
      return "integer";
    case SettingType::real:
      return "number";
    case SettingType::duration:
      return "duration";
    case SettingType::size:
      return "size";
    case SettingType::time:
      return "time";
    case SettingType::string:
      return "string";
    case SettingType::strings:
      return "array of strings";
    case SettingType::table:
      return "table";
    case SettingType::tables:
      return "array of tables";
  }
  return "";
}

void read_settings(Section& section, SettingsOf kind, DomainSettings& settings) {
  section.read(domain_settings(), kind, settings);
  if (kind == SettingsOf::defaults) refuse_sender_lists(section);
}

CustomerConfig read_customer(Section& section) {
  CustomerConfig customer;
  customer.place = section.place();
  section.read(customer_settings(), SettingsOf::domain, customer);
  if (!section.has("id")) section.error("id", section.place(), "missing");
  return customer;
}

void read_gateway_settings(Section& section, GatewayConfig& gateway) {
  section.read(gateway_settings(), SettingsOf::domain, gateway);
}

std::vector<ShownSetting> list_settings(const DomainConfig& domain) {
  DomainSettings whole = *domain.settings;
  whole.deliver_to = domain.deliver_to;
  std::vector<ShownSetting> shown;
  each_row(domain_settings(), "", [&](const auto& row, const std::string& path, bool) {
    if (row.value == nullptr) return;
    shown.push_back(
        {path + std::string(row.key), row.type, row.value(whole), domain.place_of(row)});
  });
  return shown;
}

const Setting<DomainSettings>& domain_setting(std::string_view key) {
  const Setting<DomainSettings>* found = nullptr;
  each_row(domain_settings(), "", [&](const auto& row, const std::string& path, bool) {
    if (path + std::string(row.key) == key) found = &row;
  });
  if (found == nullptr) throw std::logic_error("no setting " + std::string(key));
  return *found;
}

std::string ShownSetting::text() const {
  return type == SettingType::flag ? value.str() : value.plain();
}

std::vector<SettingInfo> all_settings() {
  std::vector<SettingInfo> infos;
  add_infos(gateway_settings(), "", "[{}]", infos);
  add_infos(host_settings(), "host.", "[[{}]]", infos);
  add_infos(recipient_command_settings(), "recipient_command.", "[[{}]]", infos);
  add_infos(customer_settings(), "customer.", "[{}]", infos);
  add_infos(domain_settings(), "domain.", "[[{}]]", infos);
  add_infos(domain_mailbox_settings(), "domain.mailbox.", "[[{}]]", infos);
  return infos;
}

}  // namespace mxfeed
