// SPDX-License-Identifier: GPL-2.0-or-later
//
// [spam] and [blocklists] of mxfeed.toml
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/server_address.h"
#include "common/policy/block_list.h"
#include "postfix-conf/config/settings/rows.h"
#include "postfix-conf/config/settings/spam_lists.h"
#include "postfix-conf/config/settings/tables.h"

namespace mxfeed {
namespace {

using G = GatewayConfig;

void read_engine_server(const Entry& entry, const Setting<G>&, G& gateway) {
  const auto given = entry.string();
  if (!given) return;
  if (!ServerAddress::parse(*given)) {
    return entry.error(fmt::format(
        "{} is neither such as \"127.0.0.1:11333\" nor \"unix:\" and a whole path",
        in_quotes(*given)));
  }
  gateway.spam.engine_server = *given;
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
  if (BlockList::is_mask(text.substr(equals + 1))) return std::nullopt;
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

constexpr std::size_t kMostGreylistLists = 10;

void read_greylist_lists(const Entry& entry, const Setting<G>&, G& gateway) {
  gateway.greylist.blocklists.clear();
  for (const auto& text : read_lists(entry)) {
    gateway.greylist.blocklists.push_back(*BlockList::parse(text));
  }
  if (gateway.greylist.blocklists.size() > kMostGreylistLists) {
    entry.error(fmt::format("must not have more than {} lists", kMostGreylistLists));
  }
}

Json greylist_lists_of(const G& gateway) {
  Json texts = Json::list();
  for (const auto& list : gateway.greylist.blocklists) texts.add(list.str());
  return gateway.greylist.blocklists.empty() ? Json() : texts;
}

constexpr std::size_t kMostScoredLists = 50;

void read_scored_lists(const Entry& entry, const Setting<G>&, G& gateway) {
  auto& lists = gateway.spam.lists;
  lists.clear();
  const auto given = entry.strings();
  if (!given) return;
  for (const auto& one : *given) {
    if (auto of_operator = lists_of_operator(one.value); !of_operator.empty()) {
      lists.insert(lists.end(), of_operator.begin(), of_operator.end());
    } else if (auto list = ScoredList::parse(one.value)) {
      lists.push_back(*std::move(list));
    } else {
      entry.error(one.place,
                  fmt::format("{}: {}; or write one of {}", in_quotes(one.value),
                              ScoredList::why_not(one.value), known_operators()));
    }
  }
  if (lists.size() > kMostScoredLists) {
    entry.error(fmt::format("must not have more than {} lists", kMostScoredLists));
  }
}

Json scored_lists_of(const G& gateway) {
  Json texts = Json::list();
  for (const auto& list : gateway.spam.lists) texts.add(list.str());
  return gateway.spam.lists.empty() ? Json() : texts;
}

void read_results(const Entry& entry, const Setting<G>&, G& gateway) {
  constexpr std::array<std::string_view, 3> kMethods{"dkim", "dmarc", "arc"};
  const auto given = entry.strings();
  if (!given) return;
  auto& results = gateway.spam.authserv_results;
  results.clear();
  for (const auto& one : *given) {
    if (std::find(kMethods.begin(), kMethods.end(), one.value) == kMethods.end()) {
      entry.error(one.place, fmt::format("{} is not one of \"dkim\", \"dmarc\", \"arc\"",
                                         in_quotes(one.value)));
    } else {
      results.emplace_back(one.value);
    }
  }
}

constexpr std::size_t kMostSealers = 100;

void read_sealers(const Entry& entry, const Setting<G>&, G& gateway) {
  auto& sealers = gateway.spam.arc_sealers;
  sealers.clear();
  const auto given = entry.strings();
  if (!given) return;
  for (const auto& one : *given) {
    if (const auto domain = Domain::parse(one.value)) {
      sealers.push_back(domain->str());
    } else {
      entry.error(one.place,
                  fmt::format("{} is not a domain name", in_quotes(one.value)));
    }
  }
  if (sealers.size() > kMostSealers) {
    entry.error(fmt::format("must not have more than {} domains", kMostSealers));
  }
}

}  // namespace

Settings<G> spam_settings() {
  static constexpr std::array kEngines{SpamEngine::builtin, SpamEngine::rspamd,
                                       SpamEngine::spamd};
  static constexpr std::array kRoles{EngineRole::verdict, EngineRole::evidence};
  using Own = GatewayPolicy::Spam;
  static constexpr std::array kRows{
      choice<kEngines, &G::spam, &Own::engine>("engine", R"("rspamd")"),
      custom<&G::spam, &Own::engine_server>("engine_server", SettingType::string,
                                            R"("192.0.2.9:11333")", read_engine_server),
      choice<kRoles, &G::spam, &Own::engine_role>("engine_role", R"("evidence")"),
      duration<&G::spam, &Own::engine_timeout>("engine_timeout", std::chrono::seconds(1),
                                               std::chrono::seconds(30), R"("3s")"),
      duration<&G::spam, &GatewayPolicy::Spam::spf_timeout>(
          "spf_timeout", std::chrono::seconds(0), std::chrono::seconds(30), R"("8s")"),
      table<G>("thresholds", thresholds_settings, read_thresholds),
      Setting<G>{.key = "lists",
                 .type = SettingType::strings,
                 .example = R"(["dnswl", "client dnsbl.example=127.0.0.2 1.5"])",
                 .read = read_scored_lists,
                 .value = scored_lists_of},
      duration<&G::spam, &GatewayPolicy::Spam::lists_timeout>(
          "lists_timeout", std::chrono::seconds(0), std::chrono::seconds(30), R"("3s")"),
      text<&G::spam, &GatewayPolicy::Spam::authserv_id>("authserv_id", 255,
                                                        R"("mx1.isp.example")"),
      custom<&G::spam, &GatewayPolicy::Spam::authserv_results>(
          "authserv_results", SettingType::strings, R"(["dkim", "dmarc", "arc"])",
          read_results),
      custom<&G::spam, &GatewayPolicy::Spam::arc_sealers>(
          "arc_sealers", SettingType::strings, R"(["lists.example"])", read_sealers),
  };
  return kRows;
}

Settings<G> blocklists_settings() {
  static constexpr std::array kRows{
      custom<&G::blocklists>("reject", SettingType::strings,
                             R"(["zen.spamhaus.org=127.0.0.[2..11]"])",
                             read_rejecting_lists),
      Setting<G>{.key = "greylist",
                 .type = SettingType::strings,
                 .example = R"(["dnsbl.example=127.0.0.[2;4]"])",
                 .read = read_greylist_lists,
                 .value = greylist_lists_of},
  };
  return kRows;
}

}  // namespace mxfeed
