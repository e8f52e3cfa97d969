// SPDX-License-Identifier: GPL-2.0-or-later
//
// Work that must not take the processor from others: signatures are loaded while mail is
// scanned.

#pragma once

#include <functional>

namespace mxfeed::virus {

// Runs the work in a thread of the lowest priority and waits for it.  A process without
// privileges cannot raise its priority again, but the caller's was never lowered.
//
// The process begins a session of its own unless it leads one: where processes are
// scheduled by sessions (sched(7), autogroup), priorities count within a session only, so
// that of the session is lowered too, until the work is done.
//
// Rethrows what the work throws.  When it returns, its thread has ended.
void run_in_background(const std::function<void()>& work);

}  // namespace mxfeed::virus
