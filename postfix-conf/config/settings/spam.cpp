// SPDX-License-Identifier: GPL-2.0-or-later
//
// [spam] and [blocklists] of mxfeed.toml
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "postfix-conf/config/settings/rows.h"
#include "postfix-conf/config/settings/tables.h"

namespace mxfeed {
namespace {

using G = GatewayConfig;

void read_engine(const Entry& entry, const Setting<G>&, G& gateway) {
  constexpr std::array<std::string_view, 3> kEngines{"builtin", "rspamd", "spamd"};
  const auto engine = entry.string();
  if (!engine) return;
  if (std::find(kEngines.begin(), kEngines.end(), *engine) == kEngines.end()) {
    return entry.not_one_of(*engine, kEngines);
  }
  if (*engine != kEngines.front()) entry.warn_no_effect();
  gateway.spam_engine = *engine;
}

// The probability at which a level begins.
template <std::size_t level>
constexpr Setting<G> threshold(std::string_view key, std::string_view example) {
  using Member = MemberPath<&G::base, &DomainSettings::policy, &DomainPolicy::spam,
                            &SpamPolicy::begins, level>;
  return {
      .key = key,
      .type = SettingType::real,
      .example = example,
      .read = [](const Entry& entry, const Setting<G>& row,
                 G& gateway) { Member::store(entry, row, gateway, entry.real(0, 1)); },
      .value = Member::value,
  };
}

Settings<G> thresholds_settings() {
  static constexpr std::array kRows{
      threshold<0>("low", "0.6"),
      threshold<1>("med", "0.95"),
      threshold<2>("high", "0.999"),
  };
  return kRows;
}

void read_thresholds(const Entry& entry, const Setting<G>& row, G& gateway) {
  read_table(entry, row, gateway);
  const auto& [low, med, high] = gateway.base.policy.spam.begins;
  if (!(low < med && med < high)) {
    entry.error(
        fmt::format("must rise from low to high, not {}, {}, {}", low, med, high));
  }
}

// Postfix's form of the answers: octets that are numbers or [n..m] and [n;m].
bool is_answers(std::string_view text) {
  unsigned octets = 1;
  bool is_in_brackets = false;
  for (const char c : text) {
    if (c == '[' || c == ']') {
      if (is_in_brackets == (c == '[')) return false;
      is_in_brackets = c == '[';
    } else if (c == '.' && !is_in_brackets) {
      ++octets;
    } else if ((c < '0' || c > '9') && c != '.' && c != ';') {
      return false;
    }
  }
  return !is_in_brackets && octets == 4 && text.starts_with("127.");
}

// Why it is not "zone=answers"; nothing if it is.
std::optional<std::string_view> wrong_list(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) {
    return "without a mask of answers any answer would block, even \"over quota\"; "
           "write \"zone=127.0.0.[2..11]\"";
  }
  if (!Domain::parse(text.substr(0, equals))) return "the zone is not a domain name";
  if (is_answers(text.substr(equals + 1))) return std::nullopt;
  return "the mask of answers must look like \"127.0.0.[2..11]\"";
}

void read_lists(const Entry& entry, const Setting<G>&, G&) {
  const auto given = entry.strings();
  if (!given) return;
  if (!given->empty()) entry.warn_no_effect();
  for (const auto& one : *given) {
    if (const auto cause = wrong_list(one.value)) {
      entry.error(one.place, fmt::format("{}: {}", in_quotes(one.value), *cause));
    }
  }
}

constexpr Setting<G> lists(std::string_view key, std::string_view example) {
  return Setting<G>{
      .key = key, .type = SettingType::strings, .example = example, .read = read_lists}
      .later();
}

}  // namespace

Settings<G> spam_settings() {
  static constexpr std::array kRows{
      custom<&G::spam_engine>("engine", SettingType::string, R"("rspamd")", read_engine)
          .later(),
      table<G>("thresholds", thresholds_settings, read_thresholds),
      of_later_version<G>("lists", SettingType::strings, R"(["local"])"),
  };
  return kRows;
}

Settings<G> blocklists_settings() {
  static constexpr std::array kRows{
      lists("reject", R"(["zen.spamhaus.org=127.0.0.[2..11]"])"),
      lists("score", R"(["dnsbl.example=127.0.0.2"])"),
  };
  return kRows;
}

}  // namespace mxfeed
