// SPDX-License-Identifier: GPL-2.0-or-later
//
// Asks the engine of the site about messages: rspamd or SpamAssassin's spamd.

#pragma once

#include <chrono>
#include <string>
#include <variant>

#include "common/policy/domain_policy.h"
#include "common/store/breaker.h"
#include "milters/spam/engine/engine.h"

namespace mxfeed::spam {

class EngineDesk {
 public:
  // What the engine answers within the time that the policy gives it, or why there is no
  // answer: one word.  After kFaults failures in a row it is not asked for kRest, so that
  // a dead one costs its time a few times only.  Thread-safe.
  std::variant<EngineAnswer, std::string> ask(const GatewayPolicy::Spam& spam,
                                              const EngineQuestion& question);

  static constexpr unsigned kFaults = 3;
  static constexpr std::chrono::seconds kRest{30};

 private:
  Breaker breaker_{kFaults, kRest};
};

}  // namespace mxfeed::spam
