// SPDX-License-Identifier: GPL-2.0-or-later
//
// [customer]
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "postfix-conf/config/settings/rows.h"
#include "postfix-conf/config/settings/tables.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMaxContacts = 100;
constexpr std::size_t kMaxId = 64;

void read_id(const Entry& entry, const Setting<CustomerConfig>&,
             CustomerConfig& customer) {
  const auto id = entry.text(kMaxId);
  if (!id) return;
  customer.place = entry.place();
  if (std::all_of(id->begin(), id->end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
      })) {
    customer.id = *id;
  } else {
    entry.error(
        fmt::format("must have only letters, digits, \".\", \"_\" and \"-\", "
                    "not {}",
                    in_quotes(*id)));
  }
}

void read_contacts(const Entry& entry, const Setting<CustomerConfig>&,
                   CustomerConfig& customer) {
  const auto contacts = entry.strings();
  if (!contacts) return;
  for (const auto& one : *contacts) {
    const auto path = Path::parse(one.value);
    if (!path || path->domain.empty()) {
      entry.error(one.place,
                  fmt::format("{} is not a mail address", in_quotes(one.value)));
    }
    customer.contacts.emplace_back(one.value);
  }
  if (contacts->size() > kMaxContacts) {
    entry.error(fmt::format("must not have more than {} addresses", kMaxContacts));
  }
}

}  // namespace

Settings<CustomerConfig> customer_settings() {
  using C = CustomerConfig;
  static constexpr std::array kRights{BackupRight::allowed, BackupRight::refused,
                                      BackupRight::suspended};
  static constexpr std::array kRows{
      custom<&C::id>("id", SettingType::string, R"("acme")", read_id),
      custom<&C::contacts>("contacts", SettingType::strings,
                           R"(["postmaster@acme-holding.example"])", read_contacts),
      choice<kRights, &C::backup>("backup", R"("suspended")"),
      integer<&C::max_backup_domains>("max_backup_domains", 0, 1'000'000, "20"),
  };
  return kRows;
}

}  // namespace mxfeed
