// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/exchange.h"

namespace mxfeed::virus {
namespace {

bool wants_deleted(const WantedFor& one, ScanVerdict verdict, HeldKind kind) {
  if (kind == HeldKind::attachment) {
    return one.attachments.action == AttachmentAction::discard;
  }
  const VirusAction action =
      verdict == ScanVerdict::infected ? one.virus.infected : one.virus.unscannable;
  return action == VirusAction::discard;
}

}  // namespace

std::optional<Exchange> exchange_recipients(const std::vector<WantedFor>& recipients,
                                            ScanVerdict verdict, HeldKind kind,
                                            const std::string& reason,
                                            const std::string& token) {
  Exchange exchange;
  for (const auto& one : recipients) {
    if (!is_exchangeable(one.recipient)) return std::nullopt;
    exchange.removed.push_back(one.recipient);
    if (wants_deleted(one, verdict, kind)) continue;
    exchange.held.push_back({kind, token, one.domain, reason, one.recipient});
  }
  return exchange;
}

}  // namespace mxfeed::virus
