// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/settings/sender_lists.h"

#include <fmt/format.h>

#include <string>
#include <variant>

namespace mxfeed {

Json to_json(const SenderList& list) {
  if (list.empty()) return {};
  Json texts = Json::list();
  for (const ListEntry& entry : list.entries()) texts.add(entry.str());
  return texts;
}

std::optional<SenderList> read_sender_list(const Entry& entry) {
  const auto given = entry.strings();
  if (!given) return std::nullopt;
  if (given->size() > SenderList::kMostEntries) {
    entry.error(
        fmt::format("must not have more than {} entries", SenderList::kMostEntries));
    return std::nullopt;
  }
  SenderList list;
  for (const auto& one : *given) {
    const auto parsed = ListEntry::parse(one.value);
    if (const auto* const cause = std::get_if<std::string>(&parsed)) {
      entry.error(one.place, fmt::format("{} {}", in_quotes(one.value), *cause));
    } else if (list.has(std::get<ListEntry>(parsed))) {
      entry.error(one.place, fmt::format("{} is a duplicate", in_quotes(one.value)));
    } else {
      list.add(std::get<ListEntry>(parsed));
    }
  }
  return list;
}

void warn_of_both(const Section& table, const SenderList& allow, const SenderList& deny) {
  if (allow.empty()) return;
  for (const ListEntry& entry : deny.entries()) {
    if (!allow.has(entry)) continue;
    table.warn("deny", table.place_of("deny"),
               fmt::format("{} is in \"allow\" too, which wins", in_quotes(entry.str())));
  }
}

}  // namespace mxfeed
