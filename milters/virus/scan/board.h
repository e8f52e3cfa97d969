// SPDX-License-Identifier: GPL-2.0-or-later
//
// Counters that all processes of mxfeed-scan share: a memfd of the supervisor, mapped by
// every zygote and worker.  No decision depends on them: a compromised worker can write
// anything here.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "common/base/file.h"

namespace mxfeed::virus {

struct Board {
  std::array<std::atomic<std::uint64_t>, 5> results;  // by ScanVerdict
  std::atomic<std::uint64_t> parts_fed;               // parts that the engine had missed
  std::atomic<std::uint64_t> mails_fed;               // mails with such parts
  std::atomic<std::uint64_t> bad_requests;            // malformed
  std::atomic<std::uint64_t> gone_clients;            // gave up while waiting
  std::atomic<std::uint64_t> silent_clients;          // sent no request in time
  std::atomic<std::uint64_t> workers_renewed;  // ended for their memory or processor time
  std::atomic<std::uint64_t> scratch_faults;  // scans refused for lack of temporary space
  std::atomic<std::uint64_t> scan_micros;
  std::atomic<std::uint64_t> last_proof;  // of an engine, by a worker; Unix time
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// A board of zeros; throws Fault.
Fd make_board();
// Maps it for the life of the process; throws Fault.
Board& map_board(int fd);

}  // namespace mxfeed::virus
