// SPDX-License-Identifier: GPL-2.0-or-later
//
// The socket of a daemon that processes of Postfix connect to.

#pragma once

#include <string_view>

#include "common/base/unix_socket.h"

namespace mxfeed {

// Listens for streams.  `socket` is "unix:PATH", which gets mode 0660 and the group
// postfix where that exists, or "fd:NUMBER" (socket activation).  Throws Fault.
UnixListener listen_for_postfix(std::string_view socket, int backlog);

// Listens at the path again if its file was removed, unless another process listens there
// by now; counts and logs that.  `daemon` is "recipients".  Throws Fault; then the
// listener is what it was.
void restore_for_postfix(UnixListener& listener, std::string_view socket, int backlog,
                         std::string_view daemon);

}  // namespace mxfeed
