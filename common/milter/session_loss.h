// SPDX-License-Identifier: GPL-2.0-or-later
//
// Sessions that we refuse or end: each is counted, a burst of them is one log line.

#pragma once

#include <string_view>

namespace mxfeed {

enum class SessionLoss {
  // Refused.
  limit,        // as many sessions as there may be
  descriptors,  // EMFILE, ENFILE
  memory,
  threads,  // no thread could be started
  // Ended.
  silent,             // the mail server sent nothing for two hours
  unfinished_packet,  // it did not send the rest
  malformed_packet,
};
inline constexpr int kSessionLosses = 7;

std::string_view to_string(SessionLoss loss);

// Counts it in mxfeed_sessions_lost_total{reason="..."}.  Logs one line in ten seconds
// for each reason at most, with the number since the last one.  `error` is an errno
// value, 0 for none.  Thread-safe.
void report(SessionLoss loss, int error = 0) noexcept;

}  // namespace mxfeed
