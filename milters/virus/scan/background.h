// SPDX-License-Identifier: GPL-2.0-or-later
//
// Work that must not take the processor from others: signatures are loaded while mail is
// scanned.

#pragma once

#include <chrono>
#include <functional>

namespace mxfeed::virus {

// Of a thread's time on the processor, and how long it sleeps after each: the work runs
// for a quarter of the time.
inline constexpr std::chrono::milliseconds kStint{5};
inline constexpr std::chrono::milliseconds kRest{15};

// Runs the work in a thread of the lowest priority and waits for it.  A process without
// privileges cannot raise its priority again, but the caller's was never lowered.
//
// The process begins a session of its own unless it leads one: where processes are
// scheduled by sessions (sched(7), autogroup), priorities count within a session only, so
// that of the session is lowered too, for a minute or until leave_the_background().
//
// Work that goes through much memory slows others down even on a processor of its own,
// since it takes the cache and the memory's speed from them.  So a signal, SIGRTMIN,
// interrupts the thread after each kStint, wherever it is, and its handler sleeps for
// kRest.
//
// Rethrows what the work throws.  When it returns, its thread has ended.
void run_in_background(const std::function<void()>& work);
void leave_the_background();

// To be called by a process that only has to end: to give a gigabyte back keeps the
// kernel busy for a good part of a second, on behalf of the process, which then waits for
// whoever has something to do.  The process gets a session of its own, as above.
void leave_the_processor();

}  // namespace mxfeed::virus
