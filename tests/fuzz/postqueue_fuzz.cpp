// SPDX-License-Identifier: GPL-2.0-or-later
//
// A line of `postqueue -j`: addresses and reasons in it come from peers.

#include <set>

#include "postfix-conf/postfix/queue.h"
#include "postfix-conf/queue/refusal.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  static const std::set<RelayKey> wanted = {"a.example", ".a.example", "x"};
  const auto message = parse_queued(fuzz::as_text(data, size));
  if (!message) return 0;
  for (const auto& recipient : message->recipients) {
    fuzz::require(
        recipient.delay_reason.value_or("").size() <= QueuedRecipient::kMaxReason,
        "a reason is cut");
    if (is_refusal(recipient.delay_reason.value_or(""))) {
      fuzz::require(recipient.delay_reason->find_first_of("[") != std::string::npos ||
                        recipient.delay_reason->starts_with("SMTPUTF8 "),
                    "a refusal names the server");
    }
    for (const auto& key : keys_of(recipient.address, wanted)) {
      fuzz::require(wanted.contains(key), "only what is wanted is found");
    }
  }
  return 0;
}
