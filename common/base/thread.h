// SPDX-License-Identifier: GPL-2.0-or-later
//
// Threads of a daemon.

#pragma once

#include <functional>
#include <thread>

namespace mxfeed {

// A thread in which all signals are blocked: they are for the program's other threads.
// Throws std::system_error if there is none to be had.
std::thread start_thread(std::function<void()> run);

}  // namespace mxfeed
