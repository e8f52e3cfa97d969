// SPDX-License-Identifier: GPL-2.0-or-later
//
// Work on all cores.

#pragma once

#include <cstddef>
#include <functional>

namespace mxfeed {

// Calls work(i) once for each i below `count`, on as many threads as there are cores, the
// calling one included; returns when all calls have.  After each of its own, the calling
// thread calls done(how many are done).  What a call throws is thrown when the others
// have ended; then some may not have been begun.
void for_each_on_all_cores(std::size_t count,
                           const std::function<void(std::size_t)>& work,
                           const std::function<void(std::size_t)>& done = {});

}  // namespace mxfeed
