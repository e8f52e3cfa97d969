// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/decision.h"

#include <algorithm>

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

constexpr seconds kRewrite{86'400};

bool is_remembered(const std::optional<Record>& seen, Time now) {
  return seen && now <= seen->expires;
}

Decision first_time(Time now, const GreylistPolicy& policy) {
  return {Outcome::first_seen, policy.delay,
          Record{now, now, now + policy.retry_window, 0}};
}

Decision known(const Record& record, Time now, const GreylistPolicy& policy) {
  Decision decision{Outcome::known, seconds(0), std::nullopt};
  // Also if its times lie in the future: a clock that was once wrong must not keep a
  // record for ever.
  if (now - record.last_seen >= kRewrite || now < record.last_seen) {
    decision.write = Record{std::min(record.first_seen, now), now, now + policy.keep,
                            record.passes + 1};
  }
  return decision;
}

Decision pass(Time first_seen, Time now, const GreylistPolicy& policy) {
  return {Outcome::passed, seconds(0), Record{first_seen, now, now + policy.keep, 1}};
}

// If first_seen lies in the future, the clock was once wrong: the sender must not be
// deferred until then.
Decision early(const Record& record, Time now, const GreylistPolicy& policy) {
  if (now < record.first_seen) {
    Decision decision = first_time(now, policy);
    decision.outcome = Outcome::too_early;
    return decision;
  }
  return {Outcome::too_early,
          std::max(policy.delay - (now - record.first_seen), seconds(0)), std::nullopt};
}

}  // namespace

Decision decide(const std::optional<Record>& seen, Time now,
                const GreylistPolicy& policy) noexcept {
  if (!is_remembered(seen, now)) return first_time(now, policy);
  if (seen->passes > 0) return known(*seen, now, policy);
  if (now - seen->first_seen < policy.delay) return early(*seen, now, policy);
  return pass(seen->first_seen, now, policy);
}

Decision follow(const std::optional<Record>& seen, Time now, const GreylistPolicy& policy,
                bool let_through) noexcept {
  const bool remembered = is_remembered(seen, now);
  if (let_through) {
    if (remembered && seen->passes > 0) return known(*seen, now, policy);
    return pass(remembered ? std::min(seen->first_seen, now) : now, now, policy);
  }
  if (!remembered) return first_time(now, policy);
  if (seen->passes == 0) return early(*seen, now, policy);
  return {Outcome::too_early, seconds(0), std::nullopt};
}

}  // namespace mxfeed::greylist
