// SPDX-License-Identifier: GPL-2.0-or-later
//
// A thread for each session of libmilter.
//
// Debian builds libmilter with a pool of worker threads, in which a session can wait for
// the callback of another one.  Our copy of libmilter.a does not contain that pool
// (copy_libmilter.cmake).  The functions with which libmilter starts a session are
// defined here; they run each session in its own thread from beginning to end.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mxfeed {

// The resource limits of the process; nothing where there is no limit.
struct Resources {
  std::optional<std::uint64_t> descriptors;  // RLIMIT_NOFILE
  std::optional<std::uint64_t> processes;    // RLIMIT_NPROC, of all threads of the user
  std::optional<std::uint64_t> tasks;        // pids.max of the cgroup and those above it

  static Resources of_this_process();
};

// The highest number of sessions at a time.  Postfix opens one for each smtpd process
// with a client (default_process_limit: 100 a service).
struct SessionLimit {
  std::size_t sessions;
  std::string_view bound_by;  // descriptors | processes | tasks | default
};

// A session needs a thread and at most three descriptors: its connection and, at the end
// of a message, the message file and the connection to the scan service.
SessionLimit session_limit(const Resources& resources);

// Sets the limit and logs it.  Before the first call it is 10,000.
void limit_sessions(const SessionLimit& limit);

// Whether one more session may begin.
bool has_room_for_session();

}  // namespace mxfeed
