// SPDX-License-Identifier: GPL-2.0-or-later
//
// A store that hosts share, and one of this host's own for when that does not answer.

#pragma once

#include <memory>

#include "milters/greylist/stores/store.h"

namespace mxfeed::greylist {

// What is learned is written to both.  A sender that the own one knows is let through
// without asking the shared one.  Else a decision is made on what the shared one has, and
// where it has nothing on what the own one has: so what was learned while the shared one
// was away counts afterwards, too.  Each may take a part of the time only.
//
// Metrics: mxfeed_greylist_redis_up, mxfeed_greylist_redis_faults_total.
std::unique_ptr<Store> share_store(std::unique_ptr<Store> shared,
                                   std::unique_ptr<Store> own);

}  // namespace mxfeed::greylist
