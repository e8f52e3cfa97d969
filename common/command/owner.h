// SPDX-License-Identifier: GPL-2.0-or-later
//
// Commands that root runs on a daemon's data become the daemon's user.  SQLite may create
// its auxiliary files even when it only reads, and they must belong to the daemon.  And
// root must not follow links that another user placed in the directory.

#pragma once

#include <filesystem>
#include <string_view>

namespace mxfeed {

// If run by root, becomes the owner of STATE/DAEMON for good.  Files that the operator
// named must be opened before.  Throws CommandError if neither that directory nor the
// user mxfeed-DAEMON exists, Fault if the system refuses the change.
void become_daemon(const std::filesystem::path& state, std::string_view daemon);

// The same while it lives, for a command that works for several daemons.  Not nested; the
// program must have one thread.  Ends the program if root cannot be had back.
class ActingDaemon {
 public:
  ActingDaemon(const std::filesystem::path& state, std::string_view daemon);
  ~ActingDaemon();
  ActingDaemon(const ActingDaemon&) = delete;
  ActingDaemon& operator=(const ActingDaemon&) = delete;

 private:
  bool is_other_ = false;
};

}  // namespace mxfeed
