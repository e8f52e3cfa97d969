// SPDX-License-Identifier: GPL-2.0-or-later
//
// Work on all cores.

#pragma once

#include <cstddef>
#include <functional>

namespace mxfeed {

// Calls work(i) once for each i below `count`, on as many threads as there are cores, the
// calling one included; returns when all calls have.  After each of its own calls, the
// calling thread calls done(number of finished calls).  An exception stops the work:
// calls not yet begun are skipped, and it is rethrown once the running ones have ended.
void for_each_on_all_cores(std::size_t count,
                           const std::function<void(std::size_t)>& work,
                           const std::function<void(std::size_t)>& done = {});

}  // namespace mxfeed
