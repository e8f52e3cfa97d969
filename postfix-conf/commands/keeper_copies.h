// SPDX-License-Identifier: GPL-2.0-or-later
//
// The keeper's work on standby mailboxes: puts copies of what waits for the customers'
// servers into mailboxes, where they can be read.  The queue stays as it is.

#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "postfix-conf/commands/keeper_news.h"
#include "postfix-conf/commands/keeper_state.h"
#include "postfix-conf/generate/rows.h"
#include "postfix-conf/mailbox/copy_book.h"
#include "postfix-conf/mailbox/lmtp_session.h"
#include "postfix-conf/postfix/queue.h"
#include "postfix-conf/queue/queue_control.h"
#include "postfix-conf/queue/terms.h"

namespace mxfeed {

class KeeperCopies {
 public:
  // The arguments must outlive the object.
  KeeperCopies(const std::filesystem::path& state, const KeeperPostfix& site,
               const Generated& generated, Terms& terms, Time now);

  // Takes the messages of the queue one by one.
  void add(const QueuedMessage& message);

  // Copies what has no copy yet, for a while; the next run goes on.  Never throws Fault:
  // what goes wrong is logged and alerted, and the keeper goes on.  `listed` are the
  // messages of the queue, all of them if it `is_whole`.  What waits for a domain whose
  // standby mailboxes have ended is tried again, and after the time of `keep` the
  // mailboxes are removed.
  void run(const std::set<std::string, std::less<>>& listed, bool is_whole,
           const QueueControl& control, KeeperNews& news);

 private:
  struct Waiting {
    std::string id, sender, domain;
    std::vector<std::string> recipients;  // without copies
  };

  // Not without a book: it would be copied again in each run.
  bool wants_copy(const std::string& id, const std::string& recipient);
  void give_up_book(const Fault& fault);
  void tell_trouble(const std::string& domain, std::string_view cause, KeeperNews& news);
  void copy(KeeperNews& news);
  // Returns whether all of its recipients have their copies now, or need none.  The
  // session is made anew if it is over.
  bool copy(std::optional<LmtpSession>& session, const Waiting& message);
  void end_domains(const QueueControl& control);
  void note(const std::string& id, const std::vector<std::string>& recipients);
  // Copies only.
  void remove_old_mailboxes(KeeperNews& news);

  const std::filesystem::path& state_;
  const KeeperPostfix& site_;
  const Generated& generated_;
  Terms& terms_;
  const Time now_;
  std::string trouble_;  // why there is no book
  std::unique_ptr<CopyBook> book_;
  std::set<std::string, std::less<>> standby_;
  std::vector<Waiting> waiting_;
  std::map<std::string, std::vector<std::string>> others_;  // deferred ids by domain
  std::map<std::string, std::string> refused_;              // what was said, by mailbox
};

}  // namespace mxfeed
