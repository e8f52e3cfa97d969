// SPDX-License-Identifier: GPL-2.0-or-later
//
// The keeper's table of what new mail gets: 452 for domains whose queue is full, 450 for
// backups that wait for their server to be away (backup_while_up = "defer"); and what
// mxfeed-spam reads of the others.

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "postfix-conf/commands/keeper_news.h"
#include "postfix-conf/generate/rows.h"
#include "postfix-conf/postfix/queue.h"
#include "postfix-conf/queue/terms.h"

namespace mxfeed {

class KeeperIntake {
 public:
  // The arguments must outlive the object.
  KeeperIntake(const std::filesystem::path& state, const Generated& generated,
               Terms& terms)
      : state_(state), generated_(generated), terms_(terms) {}

  // All messages of the queue, one by one.  A message counts for each of its domains.
  void add(const QueuedMessage& message);

  // Writes of which backups that take mail the servers answer.
  void tell_spam(const std::map<std::string, bool>& answers) const;

  // Writes the table.  `answers` are the domains whose servers were asked, and whether
  // one answers.  Throws Fault.
  void run(const std::map<std::string, bool>& answers, KeeperNews& news) const;

 private:
  const std::filesystem::path& state_;
  const Generated& generated_;
  Terms& terms_;
  std::map<std::string, std::uint64_t, std::less<>> queued_;  // bytes, by domain
};

}  // namespace mxfeed
