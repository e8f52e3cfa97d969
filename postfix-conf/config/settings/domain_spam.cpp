// SPDX-License-Identifier: GPL-2.0-or-later
//
// [domain.spam]
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "postfix-conf/config/settings/rows.h"
#include "postfix-conf/config/settings/tables.h"
#include "postfix-conf/config/settings/teaching.h"

namespace mxfeed {
namespace {

constexpr auto kPolicy = &DomainSettings::policy;
constexpr auto kSpam = &DomainPolicy::spam;
constexpr auto kTeaching = &DomainPolicy::teaching;
constexpr std::size_t kMaxHeader = 200;
constexpr std::size_t kMaxSubject = 100;

// RFC 5322, 3.6.8: a field name is printable ASCII without colon.
bool is_header_field(std::string_view text) {
  const auto colon = text.find(':');
  return colon != std::string_view::npos && colon > 0 && colon <= 64 &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return c > ' ' && c <= '~'; }) &&
         !trim(text.substr(colon + 1)).empty();
}

std::string default_tag(std::string_view level) {
  return level == "bulk" ? "[BULK] " : fmt::format("[SPAM: {}] ", level);
}

// After the keys were read: the text that goes with the action.
void complete_rule(const Section& table, std::string_view level, SpamRule& rule) {
  const bool has_text = table.has("text");
  const auto wrong_text = [&](std::string cause) {
    table.error("text", table.place_of("text"), std::move(cause));
  };
  switch (rule.action) {
    case SpamAction::header:
      if (!has_text) rule.text = fmt::format("X-Mxfeed-Spam: {}", level);
      if (!is_header_field(rule.text)) {
        wrong_text("must be a header field such as \"X-Mxfeed-Spam: high\"");
      }
      return;
    case SpamAction::subject:
      if (!has_text) rule.text = default_tag(level);
      if (rule.text.size() > kMaxSubject) {
        wrong_text(fmt::format("must not be longer than {} characters", kMaxSubject));
      }
      return;
    case SpamAction::none:
    case SpamAction::discard:
    case SpamAction::reject:
    case SpamAction::quarantine:
      rule.text.clear();
      if (has_text) {
        wrong_text(fmt::format("action \"{}\" has no text", to_string(rule.action)));
      }
      return;
  }
}

template <auto... rule>
Settings<DomainSettings> rule_settings() {
  static constexpr std::array kActions{SpamAction::none,    SpamAction::header,
                                       SpamAction::subject, SpamAction::discard,
                                       SpamAction::reject,  SpamAction::quarantine};
  static constexpr std::array kRows{
      choice<kActions, rule..., &SpamRule::action>("action", R"("header")"),
      text<rule..., &SpamRule::text>("text", kMaxHeader, R"("X-Mxfeed-Spam: yes")"),
  };
  return kRows;
}

template <auto... member>
void read_rule(const Entry& entry, const Setting<DomainSettings>& row,
               DomainSettings& settings) {
  auto table = entry.table();
  if (!table) return;
  auto& rule = MemberPath<member...>::in(settings);
  rule = {};
  for (const auto& one : row.rows()) {
    settings.places.set(one, table->place_of("action"));
  }
  table->read(row.rows(), SettingsOf::domain, settings);
  const auto action = table->take("action");
  if (!action) return table->error("action", table->place(), "missing");
  const bool is_known = action->kind() == TomlNode::Kind::string &&
                        action->string() == to_string(rule.action);
  const bool has_wrong_text = table->has("text") && rule.text.empty();
  if (is_known && !has_wrong_text) complete_rule(*table, row.key, rule);
  if (!row.has_effect && rule.action != SpamAction::none) entry.warn_no_effect();
}

template <auto... rule>
constexpr Setting<DomainSettings> rule_row(std::string_view key) {
  return table<DomainSettings>(key, rule_settings<rule...>, read_rule<rule...>);
}

template <SpamLevel level>
constexpr Setting<DomainSettings> level_row(std::string_view key) {
  return rule_row<kPolicy, kSpam, &SpamPolicy::rules, level>(key);
}

constexpr std::string_view kAct = "act";
constexpr std::string_view kWait = "wait";

void read_immature(const Entry& entry, const Setting<DomainSettings>&,
                   DomainSettings& settings) {
  constexpr std::array kWords{kAct, kWait};
  const auto given = entry.string();
  if (!given) return;
  if (*given != kAct && *given != kWait) return entry.not_one_of(*given, kWords);
  settings.policy.spam.immature_acts = *given == kAct;
}

}  // namespace

Settings<DomainSettings> domain_spam_settings() {
  using S = DomainSettings;
  static constexpr std::array kRows{
      flag<kPolicy, kSpam, &SpamPolicy::enabled>("enabled", "true"),
      Setting<S>{
          .key = "immature",
          .type = SettingType::string,
          .example = R"("act")",
          .read = read_immature,
          .value =
              [](const S& s) { return Json(s.policy.spam.immature_acts ? kAct : kWait); },
      },
      custom<kPolicy, kTeaching, &TeachingPolicy::traps>(
          "traps", SettingType::strings, R"(["old-sales"])", read_spam_traps),
      custom<kPolicy, kTeaching, &TeachingPolicy::report_spam>(
          "report_spam", SettingType::string, R"("is-spam")", read_report_spam),
      custom<kPolicy, kTeaching, &TeachingPolicy::report_ham>(
          "report_ham", SettingType::string, R"("not-spam")", read_report_ham),
      level_row<SpamLevel::low>("low"),
      level_row<SpamLevel::med>("med"),
      level_row<SpamLevel::high>("high"),
      rule_row<kPolicy, kSpam, &SpamPolicy::bulk>("bulk"),
  };
  return kRows;
}

void read_domain_spam(const Entry& entry, const Setting<DomainSettings>& row,
                      DomainSettings& settings) {
  read_table(entry, row, settings);
  if (entry.kind() == TomlNode::Kind::table)
    check_teaching(entry, settings.policy.teaching);
}

}  // namespace mxfeed
