// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/store/breaker.h"

namespace mxfeed {

bool Breaker::allows(Instant now) const {
  const std::lock_guard lock(mutex_);
  return faults_ < most_faults_ || now >= closed_until_;
}

void Breaker::succeeded() {
  const std::lock_guard lock(mutex_);
  faults_ = 0;
}

bool Breaker::failed(Instant now) {
  const std::lock_guard lock(mutex_);
  if (faults_ < most_faults_) ++faults_;
  if (faults_ < most_faults_) return false;
  const bool begins = now >= closed_until_;
  closed_until_ = now + rest_;
  return begins;
}

}  // namespace mxfeed
