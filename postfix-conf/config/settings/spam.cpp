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

// A number up to 255, or a range of them: "2", "2..11".
bool is_octets(std::string_view text) {
  const auto dots = text.find("..");
  const auto first = parse_unsigned(text.substr(0, dots));
  const auto last = dots == text.npos ? first : parse_unsigned(text.substr(dots + 2));
  return first && last && *first <= *last && *last <= 255;
}

// Postfix's form of the answers: four octets, each a number or "[2;4..11]".  Postfix
// answers 451 to all mail for any other.
bool is_answers(std::string_view text) {
  unsigned octets = 0;
  for (bool is_last = false; !is_last; ++octets) {
    std::string_view octet;
    if (text.starts_with('[')) {
      const auto end = text.find(']');
      if (end == text.npos) return false;
      for (const auto one : split(text.substr(1, end - 1), ';')) {
        if (!is_octets(one)) return false;
      }
      text.remove_prefix(end + 1);
    } else {
      octet = text.substr(0, text.find('.'));
      if (octet.find("..") != octet.npos || !is_octets(octet)) return false;
      if (octets == 0 && octet != "127") return false;
      text.remove_prefix(octet.size());
    }
    is_last = text.empty();
    if (is_last) continue;
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
  }
  return octets == 4;
}

// Why it is not "zone=answers"; nothing if it is.
std::optional<std::string_view> wrong_list(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) {
    return "without a mask of answers any answer would block, even \"over quota\"; "
           "write \"zone=127.0.0.[2..11]\"";
  }
  const auto zone = Domain::parse(text.substr(0, equals));
  if (!zone || !iequals(zone->str(), text.substr(0, equals))) {
    return "the zone is not a domain name";
  }
  if (is_answers(text.substr(equals + 1))) return std::nullopt;
  return "the mask of answers must look like \"127.0.0.[2..11]\"";
}

std::vector<std::string> read_lists(const Entry& entry) {
  std::vector<std::string> lists;
  const auto given = entry.strings();
  if (!given) return lists;
  for (const auto& one : *given) {
    if (const auto cause = wrong_list(one.value)) {
      entry.error(one.place, fmt::format("{}: {}", in_quotes(one.value), *cause));
    } else {
      lists.emplace_back(one.value);
    }
  }
  return lists;
}

void read_rejecting_lists(const Entry& entry, const Setting<G>&, G& gateway) {
  gateway.blocklists = read_lists(entry);
}

void read_scoring_lists(const Entry& entry, const Setting<G>&, G&) {
  if (!read_lists(entry).empty()) entry.warn_no_effect();
}

}  // namespace

Settings<G> spam_settings() {
  static constexpr std::array kRows{
      custom<&G::spam_engine>("engine", SettingType::string, R"("rspamd")", read_engine)
          .later(),
      duration<&G::spam, &GatewayPolicy::Spam::spf_timeout>(
          "spf_timeout", std::chrono::seconds(0), std::chrono::seconds(30), R"("8s")"),
      table<G>("thresholds", thresholds_settings, read_thresholds),
      of_later_version<G>("lists", SettingType::strings, R"(["local"])"),
  };
  return kRows;
}

Settings<G> blocklists_settings() {
  static constexpr std::array kRows{
      custom<&G::blocklists>("reject", SettingType::strings,
                             R"(["zen.spamhaus.org=127.0.0.[2..11]"])",
                             read_rejecting_lists),
      Setting<G>{.key = "score",
                 .type = SettingType::strings,
                 .example = R"(["dnsbl.example=127.0.0.2"])",
                 .read = read_scoring_lists}
          .later(),
  };
  return kRows;
}

}  // namespace mxfeed
