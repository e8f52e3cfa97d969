// SPDX-License-Identifier: GPL-2.0-or-later
//
// Root's commands on a daemon's data run as the daemon's user: SQLite may make its
// auxiliary files anew though it only reads, and they must be the daemon's; and what lies
// in a directory of another user is not for root to follow.

#pragma once

#include <filesystem>
#include <string_view>

namespace mxfeed {

// Becomes the owner of STATE/DAEMON for good, if root runs this.  Open the files that the
// operator named before.  Throws CommandError if neither that directory nor the user
// mxfeed-DAEMON exists, Fault if the change is refused.
void become_daemon(const std::filesystem::path& state, std::string_view daemon);

}  // namespace mxfeed
