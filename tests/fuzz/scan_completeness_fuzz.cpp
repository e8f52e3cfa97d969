// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whole mails: what the walk gives out is complete, and nothing is fed that was shown.

#include "milters/virus/scan/completeness.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed::virus;
  using mxfeed::fuzz::require;
  const std::string_view mail = mxfeed::fuzz::as_text(data, size);
  const Inventory all = take_inventory(mail, Seen{}, FeedRule::missed);
  require(all.too_many_readings || all.to_feed >= (all.parts > 0 ? 1u : 0u),
          "without objects parts are missed");
  Seen seen;
  std::size_t given = 0;
  for_each_part(
      mail, all,
      [&](const mxfeed::mime::Part&, std::string_view content, const Pick& pick) {
        if (pick.feed) {
          seen.add(content);
          ++given;
        }
        return true;
      });
  require(given == all.to_feed, "every part is given out");
  for (const FeedRule rule : {FeedRule::exact, FeedRule::missed}) {
    require(take_inventory(mail, seen, rule).to_feed == 0, "what was shown is not fed");
  }
  return 0;
}
