// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/settings/rows.h"

namespace mxfeed {

bool has_type(const Entry& entry, SettingType type) {
  using std::chrono::seconds;
  constexpr seconds kLongest = std::chrono::hours(24 * 3650);
  constexpr std::size_t kMaxText = 500;
  switch (type) {
    case SettingType::flag:
      return entry.flag().has_value();
    case SettingType::integer:
      return entry.number(0, UINT64_MAX).has_value();
    case SettingType::real:
      return entry.real(0, 1).has_value();
    case SettingType::duration:
      return entry.duration(seconds(0), kLongest).has_value();
    case SettingType::size:
      return entry.size(0, UINT64_MAX).has_value();
    case SettingType::time:
      return entry.time().has_value();
    case SettingType::string:
      return entry.text(kMaxText).has_value();
    case SettingType::strings:
      return entry.strings().has_value();
    case SettingType::table:
      return entry.table().has_value();
    case SettingType::tables:
      return !entry.tables().empty();
  }
  return false;
}

}  // namespace mxfeed
