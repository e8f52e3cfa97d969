// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <fmt/format.h>

#include <string>
#include <variant>

#include "milters/greylist/import/foreign_record.h"

namespace mxfeed::greylist {

// "passed 198.51.100.0 <a@s.example> <i@acme.example> FIRST LAST PASSES", or the fate.
inline std::string text_of(const ForeignEntry& entry) {
  const auto* const record = std::get_if<ForeignRecord>(&entry);
  if (record == nullptr) return std::string(to_string(std::get<Fate>(entry)));
  return fmt::format("{} {} <{}> <{}> {} {} {}", to_string(record->state),
                     record->client.str(), record->sender, record->recipient,
                     record->first_seen.time_since_epoch().count(),
                     record->last_seen.time_since_epoch().count(), record->passes);
}

}  // namespace mxfeed::greylist
