// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads what Postfix sends in few pieces.
//
// libmilter takes each packet of a session with three calls of poll(2) and two of
// read(2), and a message has two packets for each header field: Postfix sends macros,
// even none, before every one.  That makes 320 calls a message and milter, more than all
// else that a milter does, and there is no option for it.  So a program with this in it
// has functions accept(), read(), poll() and close() of its own, which the dynamic linker
// finds before the C library's: what has come for a session is read at once and given out
// of a buffer. For every other descriptor they do what the C library's do.

#pragma once

namespace mxfeed {

// From now on a descriptor that accept() gives is read ahead, until it is closed.  That
// is libmilter's; what we accept ourselves comes from accept4().  Such a descriptor is to
// be read with read() and waited for with poll() only.
void start_reading_ahead();

}  // namespace mxfeed
