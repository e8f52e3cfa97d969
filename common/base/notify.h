// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reports our state to the service manager (sd_notify(3)).

#pragma once

#include <string_view>

namespace mxfeed {

// Sends e.g. "READY=1" or "STATUS=loading signatures" to $NOTIFY_SOCKET; does nothing
// without one.
void notify_manager(std::string_view state) noexcept;

}  // namespace mxfeed
