// SPDX-License-Identifier: GPL-2.0-or-later
//
// Rows of settings that are lists of senders.

#pragma once

#include <optional>
#include <string_view>

#include "common/policy/sender_list.h"
#include "postfix-conf/config/settings/rows.h"

namespace mxfeed {

// Null for an empty list.
Json to_json(const SenderList& list);

// The entries that are right; the others are noted.
std::optional<SenderList> read_sender_list(const Entry& entry);

// Notes what is in both lists of a table, which has no effect in `deny`.
void warn_of_both(const Section& table, const SenderList& allow, const SenderList& deny);

template <auto... path>
constexpr auto sender_list(std::string_view key, std::string_view example) {
  using Member = MemberPath<path...>;
  return custom<path...>(key, SettingType::strings, example,
                         [](const Entry& entry, const auto& row, auto& target) {
                           Member::store(entry, row, target, read_sender_list(entry));
                         });
}

}  // namespace mxfeed
