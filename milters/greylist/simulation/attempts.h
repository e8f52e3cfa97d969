// SPDX-License-Identifier: GPL-2.0-or-later
//
// Puts the lines of Postfix's log together to tries of messages, while it is read.  Pure.

#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <set>
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

// Keeps the tries of the last hour of the log, and messages that are not delivered to
// anybody yet, for a day.
class AttemptReader {
 public:
  static constexpr std::size_t kMostOpen = 1'000'000;
  static constexpr std::size_t kMostRecipients = 1000;  // of a message
  // When a try is shown: what the log has of it later does not matter.
  static constexpr std::chrono::hours kSettled{1};
  // A message of which the log has told no recipient by then is left out.
  static constexpr std::chrono::hours kLongest{24};
  // How far a line may be behind an earlier one.
  static constexpr std::chrono::minutes kDisorder{10};

  using Show = std::function<void(const Attempt&)>;

  // Shows the tries in order of time, as far as the log is in that order: a message whose
  // first delivery was late comes late.  Messages whose sender or recipients are not in
  // the log are left out.
  AttemptReader(Time now, Show show) : now_(now), show_(std::move(show)) {}

  void see(std::string_view line);
  // Shows what is left.
  void finish();

  // How many lines told something.
  std::size_t used_lines() const { return used_lines_; }
  // How many messages were left out; complete after finish().
  std::size_t incomplete() const { return incomplete_; }
  // How often the log went back in time by more than kDisorder.  It is then read as if
  // another log began.
  std::size_t steps_back() const { return steps_back_; }

 private:
  struct Accepted {
    Attempt attempt;
    bool has_sender = false;
    bool is_whole() const { return has_sender && !attempt.recipients.empty(); }
  };
  // Of a message or process: when it is time to look at it.
  struct Due {
    Time time;
    Time began;
    std::string name;
  };
  // Of the same second, in an order that does not depend on the containers.
  struct Earlier {
    bool operator()(const Attempt& a, const Attempt& b) const;
  };

  void pass_time(Time time);
  void take(LogEvent event);
  void begin(LogEvent event);
  void defer(LogEvent event);
  void end_accepted(const std::string& queue_id);
  void end_deferred(const std::string& process);
  void end_settled();
  void show_until(Time time);

  const Time now_;
  const Show show_;
  Time newest_ = Time::min();                           // of the lines
  std::unordered_map<std::string, Accepted> accepted_;  // by queue ID
  std::unordered_map<std::string, Attempt> deferred_;   // by process of smtpd
  std::deque<Due> due_accepted_, due_deferred_;         // in order of time
  std::multiset<Attempt, Earlier> ended_;               // not shown yet
  std::size_t used_lines_ = 0;
  std::size_t incomplete_ = 0;
  std::size_t steps_back_ = 0;
};

}  // namespace mxfeed::greylist
