// SPDX-License-Identifier: GPL-2.0-or-later
//
// A thread for each session of libmilter.
//
// Debian builds libmilter with a pool of worker threads, in which a session can wait for
// the callback of another one.  Our copy of libmilter.a is without that pool
// (copy_libmilter.cmake): the functions by which libmilter starts a session are here, and
// run it in a thread of its own from beginning to end.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mxfeed {

// What the process may have; nothing where there is no limit.
struct Resources {
  std::optional<std::uint64_t> descriptors;  // RLIMIT_NOFILE
  std::optional<std::uint64_t> processes;    // RLIMIT_NPROC, of all threads of the user
  std::optional<std::uint64_t> tasks;        // pids.max of the cgroup and those above it

  static Resources of_this_process();
};

// How many sessions there may be at a time.  Postfix opens one for each smtpd process
// with a client (default_process_limit: 100 a service).
struct SessionLimit {
  std::size_t sessions;
  std::string_view bound_by;  // descriptors | processes | tasks | default
};

// A session has a thread, and three descriptors at most: its connection, and at the end
// of a message the message and the connection to the scan service.
SessionLimit session_limit(const Resources& resources);

// From now on there may be so many; logs it.  10 000 before the first call.
void limit_sessions(const SessionLimit& limit);

// Whether one more may begin.
bool has_room_for_session();

}  // namespace mxfeed
