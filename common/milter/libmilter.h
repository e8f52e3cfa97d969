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
// unix socket that is left there is replaced.  Call it after the limits of the process
// are set: how many sessions there may be follows from them (session_threads.h) and is
// logged.  Throws Fault.  Both arguments outlive the process's service.
void open_milter(Milter& milter, const std::string& name, const std::string& socket);

// Serves until the process ends, each session in a thread of its own; call after
// open_milter().  These threads take no SIGTERM, SIGINT or SIGHUP.  Throws Fault.
void serve_milter();

// From now on keep_reachable() looks after the unix socket; call it when the owner and
// mode of the socket are what they are to be.  Of other sockets nothing.  Throws Fault.
void watch_socket();

// To be called every second or so: if the socket's path was removed, binds a new socket
// there, logs and counts it.  Throws Fault if Postfix can no longer reach us: the
// socket cannot be bound, or another file has taken its place.  Then the process should
// end with status 1, so that the service manager starts it again.
void keep_reachable();

// Lets nobody new in; sessions go on.  A watched unix socket is removed, if it is still
// ours; a TCP client is refused; who connects to a descriptor that was handed to us
// (fd:N) waits for the next process.  Not watched any more.  Throws Fault.
void close_listeners();

}  // namespace mxfeed
