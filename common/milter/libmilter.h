// SPDX-License-Identifier: GPL-2.0-or-later
//
// Serves a Milter through libmilter: the only place that knows it.  libmilter is global
// to the process, so there is one Milter a process, served once.

#pragma once

#include <string>
#include <string_view>

#include "common/milter/filter.h"

namespace mxfeed {

// Binds and listens at `socket` (unix:PATH, inet:PORT@HOST, inet6:PORT@HOST, fd:N); a
// unix socket that is left there is replaced.  Throws Fault.  Both arguments outlive the
// process's service.
void open_milter(Milter& milter, const std::string& name, const std::string& socket);

// Serves until the process ends; call after open_milter(), from a thread that is not the
// first one of the process: libmilter starts a thread that waits for SIGTERM, SIGINT and
// SIGHUP, and only the first thread gets them before it does (signal(7): the kernel
// prefers the thread-group leader that has them unblocked).  Throws Fault.
void serve_milter();

// Lets nobody new in, within about five seconds; sessions go on.  Who connects to a TCP
// address is refused; on a descriptor that was handed to us (fd:N) he waits for the next
// process.  Throws Fault.
void close_listeners();

}  // namespace mxfeed
