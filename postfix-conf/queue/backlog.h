// SPDX-License-Identifier: GPL-2.0-or-later
//
// What waits for the servers of hosted domains, as far as their recovery needs it.

#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/postfix/queue.h"
#include "postfix-conf/queue/terms.h"

namespace mxfeed {

// Of a domain.
struct Backlog {
  static constexpr std::size_t kRecipients = 3;

  std::size_t messages = 0;             // deferred
  std::vector<std::string> recipients;  // some of those that wait or are being tried
  std::vector<std::string> ids;         // of some messages, for a trial
  bool is_unreachable = false;          // of one of them, no server answered
};

// Takes the messages of the queue one by one.
class Backlogs {
 public:
  // `trials` are the ids of messages that were tried.
  Backlogs(Terms& terms, std::set<std::string, std::less<>> trials)
      : terms_(terms), trials_(std::move(trials)) {}

  void add(const QueuedMessage& message);

  const std::map<std::string, Backlog>& domains() const { return domains_; }
  // Those of the trials that still wait; of these, those that are being tried and those
  // that were refused.
  const std::set<std::string, std::less<>>& waiting() const { return waiting_; }
  const std::set<std::string, std::less<>>& moving() const { return moving_; }
  const std::set<std::string, std::less<>>& refused() const { return refused_; }

 private:
  Terms& terms_;
  const std::set<std::string, std::less<>> trials_;
  std::map<std::string, Backlog> domains_;
  std::set<std::string, std::less<>> waiting_, moving_, refused_;
};

}  // namespace mxfeed
