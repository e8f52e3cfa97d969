// SPDX-License-Identifier: GPL-2.0-or-later
//
// Sessions that we refuse, end or no longer follow.  Each one is counted; a burst of them
// gives one log line.

#pragma once

#include <string_view>

namespace mxfeed {

enum class SessionLoss {
  // Refused.
  limit,        // the limit of sessions was reached
  descriptors,  // EMFILE, ENFILE
  memory,
  threads,  // no thread could be started
  // Ended.
  silent,             // the mail server sent nothing for two hours
  unfinished_packet,  // it did not send the rest of a packet in time
  malformed_packet,
  // Goes on without the filter.
  failed_step,  // an exception left the session
};
inline constexpr int kSessionLosses = 8;

std::string_view to_string(SessionLoss loss);

// Counts the loss in mxfeed_sessions_lost_total{reason="..."}.  Logs at most one line in
// ten seconds for each reason, with the number of losses since the last line.  `error` is
// an errno value, or 0.  Thread-safe.
void report(SessionLoss loss, int error = 0) noexcept;

}  // namespace mxfeed
