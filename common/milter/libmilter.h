// SPDX-License-Identifier: GPL-2.0-or-later
//
// Serves a Milter through libmilter.  libmilter is global to the process, so a process
// has one Milter and serves it once.

#pragma once

#include <string>
#include <string_view>

#include "common/milter/filter.h"

namespace mxfeed {

// Binds and listens at `socket` (unix:PATH, inet:PORT@HOST, inet6:PORT@HOST, fd:N); a
// unix socket left at the path is replaced.  Call it after the limits of the process are
// set: the highest number of sessions follows from them (session_threads.h) and is
// logged.  Throws Fault.  Both arguments outlive the process's service.
void open_milter(Milter& milter, const std::string& name, const std::string& socket);

// Serves until the process ends, each session in a thread of its own; call after
// open_milter().  These threads take no SIGTERM, SIGINT or SIGHUP.  Throws Fault.
void serve_milter();

// From now on keep_reachable() watches the unix socket; call it when the owner and mode
// of the socket are set.  Does nothing for other sockets.  Throws Fault.
void watch_socket();

// To be called about once a second: if the socket's path was removed, binds a new socket
// there, logs and counts it.  Throws Fault if Postfix can no longer reach us: the socket
// cannot be bound, or another file is at its path.  Then the process should end with
// status 1, so that the service manager restarts it.
void keep_reachable();

// Refuses new connections; open sessions continue.  A watched unix socket is removed, if
// it is still ours, and no longer watched.  TCP clients are refused.  Clients of a
// descriptor that was handed to us (fd:N) wait for the next process.  Throws Fault.
void close_listeners();

}  // namespace mxfeed
