// SPDX-License-Identifier: GPL-2.0-or-later
//
// What all daemons have in common: command line, signals, policy, status socket, reload
// and stop.  A daemon is a Program that run_service() runs.
//
// SIGUSR1, a changed DIR/current and the command "reload" on the status socket reload.
// Without a policy that can be read a daemon starts all the same (PolicyDb::fault()) and
// takes the first one that can.
// SIGTERM and SIGINT drain: the Program refuses new clients, waits for the work in
// progress, and exits with status 0.  SIGHUP is ignored.

#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/policy/policy_db.h"
#include "common/program/options.h"
#include "common/program/status_snapshot.h"

namespace mxfeed {

struct ServiceContext {
  const ServiceOptions& options;
  std::filesystem::path data;  // <state>/<name>, exists
  LivePolicy& policy;
};

enum class ReloadCause {
  changed,  // another generation is in force
  asked,    // by a signal or a command, perhaps for the same generation
};

// What a daemon adds.  All functions are called from the first thread of the process, one
// at a time, and are short: signals and the status socket wait for them.
class Program {
 public:
  virtual ~Program() = default;

  // Opens sockets and starts threads.  Signals are blocked, and stay blocked in threads
  // that are started here.  If it throws Fault, the daemon does not start.
  virtual void start() {}
  // Whether the service manager may be told that the daemon is ready.
  virtual bool is_ready() const { return true; }

  // watch() adds descriptors to poll besides those of the service; on_ready() is called
  // for each one that is ready, in this order, again until it no longer is.
  virtual void watch(std::vector<pollfd>&) const {}
  virtual void on_ready(const pollfd&) {}

  // Starts using the policy in force, and reads other files again.  A Fault is logged,
  // and the daemon goes on with what it has.
  virtual void on_reload(ReloadCause) {}
  // Called about once a second, also while draining.
  virtual void on_tick() {}
  // Whether the program has stopped by itself: then the process drains and ends with
  // status 1.
  virtual bool has_ended() const { return false; }

  // Refuses new clients.  After that is_drained() is polled for up to drain_limit().
  virtual void begin_drain() {}
  virtual bool is_drained() { return in_progress() == 0; }
  // How many transactions, scans and the like would be lost if the process ended now.
  virtual std::size_t in_progress() const { return 0; }
  virtual std::chrono::seconds drain_limit() const { return std::chrono::seconds(25); }

  // For the status command, unless the daemon has no policy or is draining.
  virtual std::string_view state() const { return "running"; }
  // The generation whose settings are in force; by default that of the policy.
  virtual std::uint64_t generation(std::uint64_t policy) const { return policy; }
  // Adds keys after the common ones.
  virtual void describe(StatusSnapshot&) const {}
  // Brings gauges up to date before they are shown.
  virtual void update_metrics() {}

  // Whether threads of the program still run after draining: then nothing is destroyed,
  // and the process ends by _exit(2).
  virtual bool leaves_threads() const { return false; }
};

struct ServiceSpec {
  std::string_view name;  // "scan": program mxfeed-scan, data in <state>/scan
  OptionSet options;
  std::function<std::unique_ptr<Program>(const ServiceContext&)> make;
};

// Returns the exit status: 0, 1 (could not start, or ended by itself), 2 (usage).  Does
// not return if the program leaves threads.
int run_service(int argc, char** argv, const ServiceSpec& spec);

}  // namespace mxfeed
