// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/exchange.h"

namespace mxfeed::virus {

std::optional<Exchange> exchange_recipients(const std::vector<WantedFor>& recipients,
                                            ScanVerdict verdict,
                                            const std::string& reason,
                                            const std::string& token) {
  Exchange exchange;
  for (const auto& one : recipients) {
    if (!is_exchangeable(one.recipient)) return std::nullopt;
    exchange.removed.push_back(one.recipient);
    const VirusAction action =
        verdict == ScanVerdict::infected ? one.virus.infected : one.virus.unscannable;
    if (action == VirusAction::discard) continue;
    exchange.held.push_back({HeldKind::virus, token, one.domain, reason, one.recipient});
  }
  return exchange;
}

}  // namespace mxfeed::virus
