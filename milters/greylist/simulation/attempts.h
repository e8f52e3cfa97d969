// SPDX-License-Identifier: GPL-2.0-or-later
//
// Puts the lines of Postfix's log together to tries of messages.  Pure.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "common/mail/envelope.h"
#include "milters/greylist/simulation/log_event.h"

namespace mxfeed::greylist {

// A client brought a message, and the site took it or greylisted it.
struct Attempt {
  Time time;
  Client client;
  bool authenticated = false;
  std::string helo;
  std::string sender;
  std::vector<std::string> recipients;
  bool accepted = false;
};

class AttemptReader {
 public:
  static constexpr std::size_t kMostAttempts = 5'000'000;
  static constexpr std::size_t kMostOpen = 1'000'000;
  static constexpr std::size_t kMostRecipients = 1000;  // of a message

  explicit AttemptReader(Time now) : now_(now) {}

  // False once there are more than it keeps: the rest of the log need not be read.
  bool see(std::string_view line);

  // All of them, in order of time.  Messages whose sender or recipients are not in the
  // log are left out.
  std::vector<Attempt> finish();

  // How many lines told something.
  std::size_t used_lines() const { return used_lines_; }
  // How many messages were left out; complete after finish().
  std::size_t incomplete() const { return incomplete_; }

 private:
  struct Accepted {
    Attempt attempt;
    bool has_sender = false;
  };

  void take(LogEvent event);
  void defer(LogEvent event);
  void end_accepted(const std::string& queue_id);
  void end_deferred(const std::string& process);

  const Time now_;
  std::vector<Attempt> attempts_;
  std::unordered_map<std::string, Accepted> accepted_;  // by queue ID
  std::unordered_map<std::string, Attempt> deferred_;   // by process of smtpd
  std::size_t used_lines_ = 0;
  std::size_t incomplete_ = 0;
};

}  // namespace mxfeed::greylist
