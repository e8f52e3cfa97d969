// SPDX-License-Identifier: GPL-2.0-or-later
//
// Greylisting as a pure function of the record, the clock and the policy: no I/O, no
// globals.  Each row of the table in mxfeed-greylist(8) is a row of decision_test.cpp.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "common/base/clock.h"
#include "common/policy/domain_policy.h"

namespace mxfeed::greylist {

// What is remembered about one key (client network, sender, recipient).
struct Record {
  Time first_seen;
  Time last_seen;
  Time expires;  // valid up to and including this second
  std::uint32_t passes =
      0;  // how often it was written after it was let through; 0: waiting
  bool operator==(const Record&) const = default;
};

enum class Outcome {
  first_seen,  // defer: never seen, or its record had expired
  too_early,   // defer: came back before `delay` was over
  passed,      // let through: waited long enough
  known,       // let through: had passed before
};

struct Decision {
  Outcome outcome;
  std::chrono::seconds wait;    // zero when let through
  std::optional<Record> write;  // nothing: leave the stored record as it is

  bool lets_through() const {
    return outcome == Outcome::passed || outcome == Outcome::known;
  }
};

// A retry that comes too early does not change first_seen.  If the clock went backwards,
// no time has passed.  A known record is written at most once a day, so that most
// decisions only read.
[[nodiscard]] Decision decide(const std::optional<Record>& seen, Time now,
                              const GreylistPolicy& policy) noexcept;

// The decision for a further recipient of a message.  The first one has decided for all,
// since some senders lose recipients when only a part is let through.  If let through,
// this one is recorded as passed; if deferred, as first seen unless it was seen before.
[[nodiscard]] Decision follow(const std::optional<Record>& seen, Time now,
                              const GreylistPolicy& policy, bool let_through) noexcept;

}  // namespace mxfeed::greylist
