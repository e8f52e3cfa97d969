// SPDX-License-Identifier: GPL-2.0-or-later
//
// The keeper's work on mail for postmasters whose servers refuse it: sends it to the
// provider's postmaster.

#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "postfix-conf/commands/keeper_news.h"
#include "postfix-conf/commands/keeper_state.h"
#include "postfix-conf/generate/rows.h"
#include "postfix-conf/postfix/queue.h"
#include "postfix-conf/queue/keeper_book.h"
#include "postfix-conf/queue/plan.h"
#include "postfix-conf/queue/provider_routes.h"
#include "postfix-conf/queue/queue_control.h"
#include "postfix-conf/queue/terms.h"

namespace mxfeed {

class KeeperProvider {
 public:
  // The arguments must outlive the object.
  KeeperProvider(const KeeperPostfix& site, const Generated& generated, Terms& terms,
                 KeeperBook& book, Time now);

  // As in PlanRules.
  bool takes(const std::string& key) const;
  // Those in force, for the keeper's table.
  const ProviderRoutes& routes() const { return routes_; }

  // Takes the messages of the queue one by one.
  void add(const QueuedMessage& message);

  // Makes the routes that the steps need, and ends those that are over.  Asks for an
  // attempt of the messages whose routes Postfix has noticed; the next run asks for the
  // others, and again for those that got an old route.
  void run(const std::vector<PlannedStep>& steps, const QueueControl& control,
           KeeperNews& news);

 private:
  // Why nothing can go there; empty if it can.
  std::string obstacle() const;
  // Tells that once.
  void tell_obstacle(KeeperNews& news);
  void begin(const std::string& key, const PlannedStep& step, KeeperNews& news);

  const KeeperPostfix& site_;
  const Generated& generated_;
  Terms& terms_;
  KeeperBook& book_;
  const Time now_;
  ProviderRoutes routes_;
  std::set<std::string, std::less<>> waiting_;  // keys for which mail waits
  std::string refused_;                         // one of those that were refused
};

}  // namespace mxfeed
