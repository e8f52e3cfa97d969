// SPDX-License-Identifier: GPL-2.0-or-later
//
// [redis] of mxfeed.toml
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "common/store/redis_address.h"
#include "postfix-conf/config/settings/rows.h"
#include "postfix-conf/config/settings/tables.h"

namespace mxfeed {
namespace {

using G = GatewayConfig;
using Own = GatewayPolicy::Redis;

constexpr std::size_t kMostServers = 16;
constexpr std::size_t kMostName = 100;
constexpr std::size_t kMostPrefix = 64;
constexpr std::size_t kMostPath = 500;
constexpr std::array kTypes{RedisType::single, RedisType::sentinel, RedisType::cluster};

void read_redis_servers(const Entry& entry, const Setting<G>&, G& gateway) {
  const auto given = entry.strings();
  if (!given) return;
  auto& servers = gateway.redis.servers;
  for (const auto& one : *given) {
    const auto address = RedisAddress::parse(one.value);
    if (!address || !is_ascii(one.value)) {
      entry.error(one.place, fmt::format("{} is not \"192.0.2.7:6379\", "
                                         "\"[2001:db8::7]:6379\" or \"unix:/PATH\"",
                                         in_quotes(one.value)));
    } else if (std::find(servers.begin(), servers.end(), address->str()) !=
               servers.end()) {
      entry.error(one.place, fmt::format("{} is named twice", in_quotes(one.value)));
    } else {
      servers.push_back(address->str());
    }
  }
  if (given->size() > kMostServers) {
    entry.error(fmt::format("must not have more than {} servers", kMostServers));
  }
}

void read_password_file(const Entry& entry, const Setting<G>&, G& gateway) {
  const auto file = entry.text(kMostPath);
  if (!file) return;
  if (!file->starts_with('/')) {
    entry.error(
        fmt::format("must be a file with its whole path, not {}", in_quotes(*file)));
    return;
  }
  gateway.redis.password_file = *file;
}

bool is_of_prefix(char c) {
  return is_letter(c) || is_digit(c) ||
         std::string_view("._:-").find(c) != std::string_view::npos;
}

void read_prefix(const Entry& entry, const Setting<G>& row, G& gateway) {
  const auto prefix = entry.text(row.most);
  if (!prefix) return;
  if (!std::all_of(prefix->begin(), prefix->end(), is_of_prefix)) {
    entry.error(
        fmt::format("must be letters, digits and \"._:-\", not {}", in_quotes(*prefix)));
    return;
  }
  gateway.redis.prefix = *prefix;
}

}  // namespace

Settings<G> redis_settings() {
  static constexpr std::array kRows{
      custom<&G::redis, &Own::servers>("servers", SettingType::strings,
                                       R"(["192.0.2.7:6379"])", read_redis_servers),
      choice<kTypes, &G::redis, &Own::type>("type", R"("cluster")"),
      text<&G::redis, &Own::master>("master", kMostName, R"("mymaster")"),
      text<&G::redis, &Own::user>("user", kMostName, R"("mxfeed")"),
      custom<&G::redis, &Own::password_file>("password_file", SettingType::string,
                                             R"("/etc/mxfeed/redis.password")",
                                             read_password_file, 0, kMostPath),
      custom<&G::redis, &Own::prefix>("prefix", SettingType::string, R"("isp")",
                                      read_prefix, 0, kMostPrefix),
  };
  return kRows;
}

void read_redis(const Entry& entry, const Setting<G>& row, G& gateway) {
  auto table = entry.table();
  if (!table) return;
  table->read(row.rows(), SettingsOf::domain, gateway);
  const auto has = [&](std::string_view key) { return table->has(key); };
  const auto error = [&](std::string_view key, std::string cause) {
    table->error(key, table->place_of(key), std::move(cause));
  };
  const auto& redis = gateway.redis;
  const auto keys = redis_settings();
  const bool is_any = std::any_of(keys.begin(), keys.end(),
                                  [&](const auto& one) { return has(one.key); });
  if (is_any && !has("servers")) error("servers", "missing");
  if (has("user") && !has("password_file")) {
    error("password_file", "missing: the user needs one");
  }
  // What depends on a type that is misspelt is not known.
  const auto type = table->table().member("type");
  const bool is_known = !type || (type->kind() == TomlNode::Kind::string &&
                                  type->string() == to_string(redis.type));
  if (!is_known) return;
  if (redis.type == RedisType::single && redis.servers.size() > 1) {
    error("servers", "must be one server, unless type is \"sentinel\" or \"cluster\"");
  }
  if (redis.type == RedisType::sentinel && !has("master")) {
    error("master", "missing: the name that the Sentinels use");
  }
  if (redis.type != RedisType::sentinel && has("master")) {
    error("master", "is for type = \"sentinel\" only");
  }
}

}  // namespace mxfeed
