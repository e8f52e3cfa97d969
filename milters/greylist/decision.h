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

// What we remember of one key (client network, sender, recipient).
struct Record {
  Time first_seen;
  Time last_seen;
  Time expires;              // valid up to and including this second
  std::uint32_t passes = 0;  // times it was written after being let through; 0: waiting
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

// A retry that comes too early never moves first_seen on.  A clock that went backwards
// counts as no time passed.  A known record is written again at most once a day, so that
// most decisions only read.
[[nodiscard]] Decision decide(const std::optional<Record>& seen, Time now,
                              const GreylistPolicy& policy) noexcept;

// A further recipient of a message: one of them has decided for all, since senders lose
// recipients when some are let through and some deferred.  Let through, it is recorded as
// passed; deferred, as first seen if it was not seen before.
[[nodiscard]] Decision follow(const std::optional<Record>& seen, Time now,
                              const GreylistPolicy& policy, bool let_through) noexcept;

}  // namespace mxfeed::greylist
