// SPDX-License-Identifier: GPL-2.0-or-later
//
// A milter as a service.  main() of a milter is a call of run_milter().
//
//   mxfeed-NAME --socket SPEC [--state DIR] [--foreground]
//     --socket  unix:PATH, inet:PORT@HOST, inet6:PORT@HOST or fd:3 (socket activation);
//               a unix socket gets mode 0660 and the group postfix where that exists
//     --state   default /var/lib/mxfeed; own data and status.sock in DIR/NAME
//
// When the milter is told to stop, transactions in progress have 25 seconds to end; 5
// seconds with socket activation, since new clients wait for the next process meanwhile.

#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "common/milter/filter.h"
#include "common/policy/policy_db.h"
#include "common/program/status_snapshot.h"

namespace mxfeed {

struct DaemonContext {
  std::filesystem::path state;           // --state
  std::filesystem::path data_directory;  // <state>/<name>, exists
  LivePolicy& policy;
};

// What a milter program adds to the common part.  All functions are called from the first
// thread of the process; only the Milter itself is called from many threads.
class Daemon {
 public:
  virtual ~Daemon() = default;
  virtual Milter& milter() = 0;
  // Called after the policy changed.  Throws Fault if the new one cannot be used: that is
  // logged, and the daemon goes on with what it has.
  virtual void on_reload() {}
  // Called about once a second for expiry and the like; must be short.
  virtual void on_tick() {}
  // Adds keys to the answer of the status command.
  virtual void describe(StatusSnapshot&) const {}
};

struct DaemonSpec {
  std::string_view name;  // "greylist": program mxfeed-greylist
  std::function<std::unique_ptr<Daemon>(const DaemonContext&)> make;
};

// Returns the exit status: 0, 1 (could not start), 2 (usage).  Does not return when the
// milter has served: the process ends by _exit(2), since threads of libmilter still run.
int run_milter(int argc, char** argv, const DaemonSpec& spec);

}  // namespace mxfeed
