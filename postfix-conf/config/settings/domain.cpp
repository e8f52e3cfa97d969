// SPDX-License-Identifier: GPL-2.0-or-later
//
// [[domain]], and what each key is in [defaults].
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/mail/mailbox.h"
#include "postfix-conf/config/settings.h"
#include "postfix-conf/config/settings/rows.h"
#include "postfix-conf/config/settings/sender_lists.h"
#include "postfix-conf/config/settings/tables.h"

namespace mxfeed {
namespace {

using std::chrono::hours;

constexpr std::array kServices{Service::feed, Service::backup, Service::direct,
                               Service::mailbox};
constexpr std::array kStates{DomainState::active, DomainState::paused,
                             DomainState::protect, DomainState::suspended,
                             DomainState::removed};
constexpr std::array kWhileUp{WhileUp::accept, WhileUp::defer};
constexpr std::array kWhileDown{WhileDown::accept, WhileDown::defer};
constexpr std::array kBlocklist{Blocklist::off, Blocklist::score, Blocklist::reject};
constexpr std::array kOnRefusal{OnRefusal::bounce, OnRefusal::bounce_verified,
                                OnRefusal::hold};
constexpr auto kMostLifetime = hours(24 * 100);  // Postfix's own limit
constexpr std::uint64_t kLeastSize = 64 << 10;   // RFC 5321, 4.5.3.1.7: 64K octets
constexpr std::uint64_t kMostSize = std::uint64_t{1} << 30;
constexpr std::uint64_t kMaxRecord = 200;
constexpr std::size_t kMostLocalPart = 64;  // RFC 5321, 4.5.3.1.1
constexpr std::size_t kMostTraps = 100;
constexpr std::size_t kMostMailboxes = 10'000;
constexpr std::size_t kMostPassword = 500;

void read_blocklist(const Entry& entry, const Setting<DomainSettings>&,
                    DomainSettings& settings) {
  const auto given = entry.one_of(kBlocklist);
  if (!given) return;
  settings.policy.spam.uses_lists = *given != Blocklist::off;
  settings.blocklist = *given;
}

void read_traps(const Entry& entry, const Setting<DomainSettings>&,
                DomainSettings& settings) {
  const auto given = entry.strings();
  if (!given) return;
  auto& traps = settings.policy.greylist.traps;
  traps.clear();
  for (const auto& one : *given) {
    const Recipient trap{ascii_lower(one.value), {}};
    if (trap.local_part.empty() || trap.local_part.size() > kMostLocalPart ||
        trap.local_part.find('@') != std::string::npos) {
      entry.error(one.place, fmt::format("{} is not what stands before the @, such as "
                                         "\"old-sales\"",
                                         in_quotes(one.value)));
    } else if (!trap.role().empty()) {
      entry.error(one.place, fmt::format("{} must take mail (RFC 2142), so it is no trap",
                                         in_quotes(one.value)));
    } else {
      traps.push_back(trap.local_part);
    }
  }
  if (given->size() > kMostTraps) {
    entry.error(fmt::format("must not have more than {} addresses", kMostTraps));
  }
}

// true or false, or the table.
void read_greylist(const Entry& entry, const Setting<DomainSettings>& row,
                   DomainSettings& settings) {
  if (entry.kind() == TomlNode::Kind::boolean) {
    settings.policy.greylist.when =
        entry.value().boolean() ? GreylistWhen::always : GreylistWhen::never;
    static const auto& when = domain_setting("greylist.when");
    settings.places.set(when, entry.place());
  } else if (entry.kind() == TomlNode::Kind::table) {
    read_table(entry, row, settings);
    const GreylistPolicy& greylist = settings.policy.greylist;
    warn_of_both(*entry.table(), greylist.allow, greylist.deny);
  } else {
    entry.wrong_kind("true, false or a table");
  }
}

void read_mailboxes(const Entry& entry, const Setting<DomainSettings>&,
                    DomainSettings& settings) {
  auto& all = settings.mailboxes;
  all.clear();
  for (auto& table : entry.tables()) {
    MailboxConfig mailbox;
    table.read(domain_mailbox_settings(), SettingsOf::domain, mailbox);
    for (const auto* key : {"user", "password"}) {
      if (!table.has(key)) table.error(key, table.place(), "missing");
    }
    const auto at = std::ranges::lower_bound(all, mailbox.user, {}, &MailboxConfig::user);
    if (at != all.end() && at->user == mailbox.user && !mailbox.user.empty()) {
      table.error("user", table.place_of("user"),
                  fmt::format("{} is a duplicate", in_quotes(mailbox.user)));
    } else {
      all.insert(at, std::move(mailbox));
    }
  }
  if (all.size() > kMostMailboxes) {
    entry.error(fmt::format("must not have more than {} mailboxes", kMostMailboxes));
  }
}

// Without their passwords.
Json users_of(const DomainSettings& settings) {
  Json users = Json::list();
  for (const auto& one : settings.mailboxes) users.add(one.user);
  return users;
}

void read_user(const Entry& entry, const Setting<MailboxConfig>& row,
               MailboxConfig& mailbox) {
  const auto given = entry.text(row.most);
  if (!given) return;
  const std::string user = ascii_lower(*given);
  if (!is_mailbox_user(user)) {
    entry.error(
        fmt::format("{} is not a name of letters, digits and ._=-", in_quotes(*given)));
    return;
  }
  mailbox.user = user;
}

// Dovecot's passwd-file separates its fields by colons.
void read_password(const Entry& entry, const Setting<MailboxConfig>& row,
                   MailboxConfig& mailbox) {
  const auto given = entry.text(row.most);
  if (!given) return;
  const auto end = given->find('}');
  const bool has_scheme = given->starts_with('{') && end != std::string_view::npos &&
                          end > 1 && end + 1 < given->size();
  if (!has_scheme || given->find_first_of(": ") != std::string_view::npos) {
    entry.error("is not \"{SCHEME}HASH\", as `doveadm pw` prints it");
    return;
  }
  mailbox.password = *given;
}

constexpr std::size_t kMostProtected = 200;

// "Name <address>"
void read_protect(const Entry& entry, const Setting<DomainSettings>&,
                  DomainSettings& settings) {
  const auto given = entry.strings();
  if (!given) return;
  auto& people = settings.policy.senders.protect;
  people.clear();
  for (const auto& one : *given) {
    const auto found = parse_mailboxes(one.value, 2);
    if (found.size() == 1 && !found[0].display.empty() &&
        Domain::parse(Recipient::parse(found[0].address).domain)) {
      people.emplace_back(one.value);
    } else {
      entry.error(one.place,
                  fmt::format("{} is not such as \"Anna Beck <anna@acme.example>\"",
                              in_quotes(one.value)));
    }
  }
  if (given->size() > kMostProtected) {
    entry.error(fmt::format("must not have more than {} people", kMostProtected));
  }
}

Settings<DomainSettings> senders_settings() {
  constexpr auto kPolicy = &DomainSettings::policy;
  constexpr auto kSenders = &DomainPolicy::senders;
  static constexpr std::array kRows{
      sender_list<kPolicy, kSenders, &SenderPolicy::allow>(
          "allow", R"(["@partner.example", "192.0.2.0/24"])"),
      sender_list<kPolicy, kSenders, &SenderPolicy::block>("block",
                                                           R"(["news@shop.example"])"),
      custom<kPolicy, kSenders, &SenderPolicy::protect>(
          "protect", SettingType::strings, R"(["Anna Beck <anna@acme.example>"])",
          read_protect),
  };
  return kRows;
}

// Suffixes, in any case of letters, and kinds.
void read_blocked(const Entry& entry, const Setting<DomainSettings>&,
                  DomainSettings& settings) {
  const auto given = entry.strings();
  if (!given) return;
  auto& blocked = settings.policy.attachments.blocked;
  blocked.clear();
  for (const auto& one : *given) {
    const std::string word = ascii_lower(one.value);
    if (!is_suffix(word) && !parse_attachment_kind(word)) {
      std::string kinds;
      for (const AttachmentKind kind : kAttachmentKinds) {
        kinds += (kinds.empty() ? "" : ", ") + in_quotes(to_string(kind));
      }
      entry.error(one.place,
                  fmt::format("{} is neither a suffix such as \".exe\" nor one of {}",
                              in_quotes(one.value), kinds));
    } else if (std::ranges::find(blocked, word) != blocked.end()) {
      entry.error(one.place, fmt::format("{} is a duplicate", in_quotes(one.value)));
    } else {
      blocked.push_back(word);
    }
  }
  if (given->size() > AttachmentPolicy::kMostBlocked) {
    entry.error(fmt::format("must not have more than {} entries",
                            AttachmentPolicy::kMostBlocked));
  }
}

Settings<DomainSettings> attachments_settings() {
  static constexpr std::array kPresets{
      AttachmentPreset::off, AttachmentPreset::executables, AttachmentPreset::strict};
  static constexpr std::array kActions{
      AttachmentAction::reject, AttachmentAction::quarantine, AttachmentAction::discard,
      AttachmentAction::header};
  constexpr auto kPolicy = &DomainSettings::policy;
  constexpr auto kAttachments = &DomainPolicy::attachments;
  using Own = AttachmentPolicy;
  static constexpr std::array kRows{
      choice<kPresets, kPolicy, kAttachments, &Own::preset>("preset", R"("executables")"),
      custom<kPolicy, kAttachments, &Own::blocked>(
          "blocked", SettingType::strings, R"([".exe", "disk-image"])", read_blocked),
      choice<kActions, kPolicy, kAttachments, &Own::action>("action", R"("quarantine")"),
  };
  return kRows;
}

}  // namespace

Settings<DomainSettings> domain_greylist_settings() {
  static constexpr std::array kWhen{GreylistWhen::always, GreylistWhen::suspicious,
                                    GreylistWhen::never};
  constexpr auto kPolicy = &DomainSettings::policy;
  constexpr auto kGreylist = &DomainPolicy::greylist;
  using Own = GreylistPolicy;
  static constexpr std::array kRows{
      choice<kWhen, kPolicy, kGreylist, &Own::when>("when", R"("suspicious")"),
      flag<kPolicy, kGreylist, &Own::shadow>("shadow", "true"),
      duration<kPolicy, kGreylist, &Own::delay>("delay", hours(0), hours(24), R"("5m")"),
      duration<kPolicy, kGreylist, &Own::unverified_delay>("unverified_delay", hours(0),
                                                           hours(24), R"("10m")"),
      custom<kPolicy, kGreylist, &Own::traps>("traps", SettingType::strings,
                                              R"(["old-sales"])", read_traps),
      duration<kPolicy, kGreylist, &Own::trap_delay>("trap_delay", hours(0), hours(24),
                                                     R"("2h")"),
      sender_list<kPolicy, kGreylist, &Own::allow>(
          "allow", R"(["mail.shop.example", "user@shop.example"])"),
      sender_list<kPolicy, kGreylist, &Own::deny>("deny", R"(["198.51.100.0/24"])"),
  };
  return kRows;
}

Settings<DomainSettings> domain_virus_settings() {
  static constexpr std::array kActions{VirusAction::discard, VirusAction::reject,
                                       VirusAction::quarantine};
  static constexpr std::array kEncrypted{EncryptedAction::header,
                                         EncryptedAction::reject};
  constexpr auto kPolicy = &DomainSettings::policy;
  constexpr auto kVirus = &DomainPolicy::virus;
  using Own = VirusPolicy;
  static constexpr std::array kRows{
      choice<kActions, kPolicy, kVirus, &Own::infected>("infected", R"("reject")"),
      choice<kActions, kPolicy, kVirus, &Own::unscannable>("unscannable",
                                                           R"("quarantine")"),
      choice<kEncrypted, kPolicy, kVirus, &Own::encrypted>("encrypted", R"("reject")"),
  };
  return kRows;
}

Settings<MailboxConfig> domain_mailbox_settings() {
  using M = MailboxConfig;
  static constexpr std::array kRows{
      Setting<M>{.key = "user",
                 .type = SettingType::string,
                 .example = R"("info")",
                 .read = read_user,
                 .most = kMostLocalPart},
      Setting<M>{.key = "password",
                 .type = SettingType::string,
                 .example = R"("{ARGON2ID}$argon2id$v=19$...")",
                 .read = read_password,
                 .most = kMostPassword},
  };
  return kRows;
}

Settings<DomainSettings> domain_quarantine_settings() {
  constexpr auto kPolicy = &DomainSettings::policy;
  constexpr auto kQuarantine = &DomainPolicy::quarantine;
  using Own = QuarantinePolicy;
  static constexpr std::array kRows{
      duration<kPolicy, kQuarantine, &Own::keep>("keep", kLeastHeld, kMostHeld,
                                                 R"("90d")"),
      quota<kPolicy, kQuarantine, &Own::quota>("quota", kMostQuota, R"("200M")"),
  };
  return kRows;
}

Settings<DomainSettings> domain_settings() {
  using S = DomainSettings;
  static constexpr std::array kRows{
      Setting<S>{.key = "name",
                 .type = SettingType::string,
                 .example = R"("acme.example")",
                 .read = nullptr}
          .once(),
      choice<kServices, &S::service>("service", R"("backup")"),
      Setting<S>{.key = "deliver_to",
                 .type = SettingType::strings,
                 .example = R"(["203.0.113.7", "[mail.acme.example]:2525"])",
                 .read = read_servers,
                 .value =
                     [](const S& s) {
                       return s.deliver_to_mx ? Json("mx") : to_json(s.deliver_to);
                     }},
      flag<&S::dynamic_address>("dynamic_address", "true"),
      choice<kStates, &S::state>("state", R"("paused")"),
      flag<&S::policy, &DomainPolicy::subdomains>("subdomains", "true"),
      text<&S::requested>("requested", kMaxRecord, R"("2026-11-02, ticket 4711")").once(),
      text<&S::acknowledged>("acknowledged", kMaxRecord,
                             R"("2026-11-03, managing director")")
          .once(),
      duration<&S::queue_lifetime>("queue_lifetime", hours(1), kMostLifetime, R"("4d")"),
      time<&S::extend_until>("extend_until", R"("2026-12-05T18:00:00+01:00")"),
      choice<kWhileUp, &S::backup_while_up>("backup_while_up", R"("defer")"),
      quota<&S::queue_quota>("queue_quota", kMostQuota, R"("2G")"),
      size<&S::max_size>("max_size", kLeastSize, kMostSize, R"("100M")"),
      table<S>("greylist", domain_greylist_settings, read_greylist),
      table<S>("virus", domain_virus_settings),
      table<S>("spam", domain_spam_settings, read_domain_spam),
      table<S>("quarantine", domain_quarantine_settings),
      custom<&S::recipients>("recipients", SettingType::string, R"(["info", "sales"])",
                             read_recipients),
      choice<kWhileDown, &S::callout_while_down>("callout_while_down", R"("defer")"),
      custom<&S::blocklist>("blocklist", SettingType::string, R"("reject")",
                            read_blocklist),
      choice<kOnRefusal, &S::on_refusal>("on_refusal", R"("hold")"),
      custom<&S::tls>("tls", SettingType::string, R"("encrypt")", read_tls),
      flag<&S::standby_mailboxes>("standby_mailboxes", "true"),
      table<S>("senders", senders_settings),
      table<S>("attachments", attachments_settings),
      Setting<S>{.key = "mailbox",
                 .type = SettingType::tables,
                 .example = {},
                 .read = read_mailboxes,
                 .value = users_of}
          .once(),
  };
  return kRows;
}

}  // namespace mxfeed
