// SPDX-License-Identifier: GPL-2.0-or-later
//
// What other greylisters keep: dumps of postgrey's databases and rows of sqlgrey's, with
// senders and recipients that peers chose.

#include <chrono>
#include <map>
#include <optional>
#include <variant>

#include "common/base/text.h"
#include "milters/greylist/import/adoption.h"
#include "milters/greylist/import/postgrey.h"
#include "milters/greylist/import/sqlgrey.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace mxfeed;
using namespace mxfeed::greylist;
using fuzz::require;

constexpr Time kNow{std::chrono::seconds(1'800'000'000)};

void take(const ForeignEntry& entry) {
  const auto* const record = std::get_if<ForeignRecord>(&entry);
  if (record == nullptr) return;
  DomainPolicy domain;
  domain.name = "acme.example";
  const auto adopted = adopt(*record, domain, {}, kNow);
  const auto* const adoption = std::get_if<Adoption>(&adopted);
  if (adoption == nullptr) return;
  std::map<Slot, Record> store;
  const auto look = [&](Slot slot) {
    const auto found = store.find(slot);
    return found == store.end() ? std::nullopt : std::optional(found->second);
  };
  for (const Change& change : merge(*adoption, look, kNow).changes) {
    require(adoption->keys.at(change.slot).digest.size() == 16, "a record has a key");
    require(change.record->last_seen <= kNow && change.record->first_seen <= kNow,
            "nothing was seen in the future");
    store[change.slot] = *change.record;
  }
  require(!store.empty(), "what is taken is written");
  require(merge(*adoption, look, kNow).changes.empty(), "an import again does nothing");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  PostgreyReader reader(std::chrono::seconds(300));
  for (const auto line : split(fuzz::as_text(data, size), '\n')) {
    if (const auto entry = reader.take(line)) take(*entry);
    take(parse_sqlgrey(line));
  }
  return 0;
}
