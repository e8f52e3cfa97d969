// SPDX-License-Identifier: GPL-2.0-or-later
//
// [greylist] of mxfeed.toml
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "postfix-conf/config/settings.h"
#include "postfix-conf/config/settings/rows.h"
#include "postfix-conf/config/settings/sender_lists.h"
#include "postfix-conf/config/settings/tables.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using G = GatewayConfig;
using Own = GatewayPolicy::Greylist;

template <auto member>
constexpr Setting<G> of_domains(std::string_view key, seconds least, seconds most,
                                std::string_view example) {
  return duration<&G::base, &DomainSettings::policy, &DomainPolicy::greylist, member>(
      key, least, most, example);
}

// "sqlite:FILE", not above the daemon's directory.
bool is_sqlite_path(std::string_view store) {
  constexpr std::string_view kScheme = "sqlite:";
  if (!store.starts_with(kScheme)) return false;
  const auto parts = split(store.substr(kScheme.size()), '/');
  return !parts.back().empty() &&
         std::find(parts.begin(), parts.end(), "..") == parts.end();
}

void read_store(const Entry& entry, const Setting<G>&, G& gateway) {
  const auto store = entry.text(500);
  if (!store) return;
  if (*store != kRedisStore && !is_sqlite_path(*store)) {
    entry.error(
        fmt::format("must be \"redis\" (the servers of [redis]) or \"sqlite:FILE\", such "
                    "as \"sqlite:greylist.db\" or \"sqlite:/DIR/greylist.db\", not {}",
                    in_quotes(*store)));
  } else {
    gateway.greylist.store = *store;
  }
}

}  // namespace

Settings<G> greylist_settings() {
  static constexpr std::array kRows{
      of_domains<&GreylistPolicy::delay>("delay", seconds(0), hours(24), R"("5m")"),
      of_domains<&GreylistPolicy::unverified_delay>("unverified_delay", seconds(0),
                                                    hours(24), R"("10m")"),
      of_domains<&GreylistPolicy::trap_delay>("trap_delay", seconds(0), hours(24),
                                              R"("2h")"),
      of_domains<&GreylistPolicy::retry_window>("retry_window", seconds(60),
                                                hours(24 * 30), R"("12h")"),
      of_domains<&GreylistPolicy::keep>("keep", hours(1), hours(24 * 3650), R"("60d")"),
      integer<&G::greylist, &Own::ipv4_prefix>("ipv4_prefix", 8, 32, "32"),
      integer<&G::greylist, &Own::ipv6_prefix>("ipv6_prefix", 16, 128, "56"),
      integer<&G::greylist, &Own::code>("code", 450, 451, "451"),
      text<&G::greylist, &Own::text>("text", 200, R"("Please try again later")"),
      duration<&G::greylist, &Own::spf_timeout>("spf_timeout", seconds(0), seconds(10),
                                                R"("3s")"),
      custom<&G::greylist, &Own::store>("store", SettingType::string,
                                        R"("sqlite:/srv/mxfeed/greylist.db")",
                                        read_store),
      flag<&G::greylist, &Own::fallback>("fallback", "false"),
      sender_list<&G::greylist, &Own::allow>("allow",
                                             R"(["192.0.2.0/24", "@shop.example"])"),
      sender_list<&G::greylist, &Own::deny>("deny", R"([".bulk.example"])"),
  };
  return kRows;
}

void read_greylist(const Entry& entry, const Setting<G>& row, G& gateway) {
  auto table = entry.table();
  if (!table) return;
  table->read(row.rows(), SettingsOf::domain, gateway);
  warn_of_both(*table, gateway.greylist.allow, gateway.greylist.deny);
  const GreylistPolicy& policy = gateway.base.policy.greylist;
  const auto window = format_duration(policy.retry_window);
  for (const auto& [key, delay] :
       {std::pair<std::string_view, seconds>("delay", policy.delay),
        {"unverified_delay", policy.unverified_delay},
        {"trap_delay", policy.trap_delay}}) {
    if (table->has(key)) {
      gateway.base.places.set(domain_setting(fmt::format("greylist.{}", key)),
                              table->place_of(key));
    }
    // Of the defaults only `delay` has to be below it, see greylist::terms_of.
    const bool counts = table->has(key) || key == "delay";
    if (counts && delay >= policy.retry_window) {
      table->error(key,
                   table->place_of(table->has("retry_window") ? "retry_window" : key),
                   fmt::format("must be below retry_window ({})", window));
    }
  }
  if (policy.retry_window > policy.keep) {
    table->error("keep", table->place_of(table->has("keep") ? "keep" : "retry_window"),
                 fmt::format("must be at least retry_window ({})", window));
  }
}

}  // namespace mxfeed
