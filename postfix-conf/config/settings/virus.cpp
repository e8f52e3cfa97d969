// SPDX-License-Identifier: GPL-2.0-or-later
//
// [virus] of mxfeed.toml
#include <array>

#include "postfix-conf/config/settings/rows.h"
#include "postfix-conf/config/settings/tables.h"

namespace mxfeed {
namespace {

using std::chrono::seconds;
using G = GatewayConfig;
using Own = GatewayPolicy::Virus;

constexpr std::uint64_t kLeastSize = 1 << 20;

void read_database(const Entry& entry, const Setting<G>&, G& gateway) {
  const auto database = entry.text(500);
  if (!database) return;
  if (!database->starts_with('/')) entry.error("must be an absolute path");
  gateway.virus.database = *database;
}

}  // namespace

Settings<G> virus_settings() {
  static constexpr std::array kRows{
      custom<&G::virus, &Own::database>("database", SettingType::string,
                                        R"("/srv/signatures")", read_database),
      integer<&G::virus, &Own::workers>("workers", 0, 1024, "8"),
      size<&G::virus, &Own::max_scan_size>("max_scan_size", kLeastSize, 4ull << 30,
                                           R"("1G")"),
      size<&G::virus, &Own::max_file_size>("max_file_size", kLeastSize, 2ull << 30,
                                           R"("200M")"),
      integer<&G::virus, &Own::max_files>("max_files", 10, 10'000'000, "50000"),
      integer<&G::virus, &Own::max_recursion>("max_recursion", 2, 100, "30"),
      duration<&G::virus, &Own::max_scan_time>("max_scan_time", seconds(1), seconds(240),
                                               R"("60s")"),
      flag<&G::virus, &Own::reload_in_place>("reload_in_place", "true"),
  };
  return kRows;
}

}  // namespace mxfeed
