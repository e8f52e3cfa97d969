// SPDX-License-Identifier: GPL-2.0-or-later
//
// The keeper's work on customers' servers that are away: probes them, stops their mail,
// and lets it go when they are back.

#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/mail/address.h"
#include "common/net/resolver.h"
#include "postfix-conf/commands/keeper_news.h"
#include "postfix-conf/commands/keeper_state.h"
#include "postfix-conf/generate/rows.h"
#include "postfix-conf/postfix/postfix.h"
#include "postfix-conf/queue/backlog.h"
#include "postfix-conf/queue/keeper_book.h"
#include "postfix-conf/queue/provider_routes.h"
#include "postfix-conf/queue/queue_control.h"
#include "postfix-conf/queue/recovery.h"
#include "postfix-conf/queue/route_servers.h"
#include "postfix-conf/queue/server_probe.h"

namespace mxfeed {

// One for each server of a domain.
struct ProbeJob {
  std::string domain;
  std::string server;
  ServerQuestion question;
};

class KeeperRecovery {
 public:
  // The arguments must outlive the object.
  KeeperRecovery(const std::filesystem::path& state, const KeeperPostfix& site,
                 const Generated& generated, Terms& terms, const Postfix& postfix,
                 const QueueControl& control, KeeperBook& book,
                 const ProviderRoutes& provider_routes, Time now);

  // Those that were probed before.
  const std::map<std::string, Destination>& destinations() const { return all_; }
  // Whether one of its servers greets, of the domains that this run has asked.
  const std::map<std::string, bool>& greets() const { return greets_; }
  // The ids of all messages in trials.
  std::set<std::string, std::less<>> trials() const;

  // Takes up to a minute if a server has returned.  Throws Fault.
  void run(const Backlogs& backlogs, KeeperNews& news);

 private:
  void forget_removed();
  bool is_to_be_probed(const std::string& domain, const Backlogs& backlogs) const;
  std::vector<std::string> to_be_met() const;
  void probe(const Backlogs& backlogs, KeeperNews& news);
  std::vector<RouteServer> servers_of(const Hosted& hosted);
  std::vector<ProbeJob> jobs_for(const std::set<std::string>& wanted,
                                 const Backlogs& backlogs);
  void hear(const std::string& domain, const std::vector<ServerAnswer>& answers,
            bool mail_waits, KeeperNews& news);
  // Of those of which no message is pending.
  using IsPending = std::function<bool(const std::string& id)>;
  void judge_trials(const Backlogs& backlogs, const IsPending& is_pending,
                    KeeperNews& news);
  void attempt(const std::vector<std::string>& ids);
  void begin_trials(KeeperNews& news);
  void watch_trials(KeeperNews& news);
  void flush();
  // Writes the routes if they have changed.
  void write_routes();
  bool has_been_probed(const std::string& domain, std::chrono::seconds within) const;
  // Waits until Postfix has noticed them.
  void settle();
  void store(const std::string& domain, Destination destination);
  void tell(const std::string& domain, Event event, const ServerAnswer& answer,
            KeeperNews& news) const;

  const std::filesystem::path& state_;
  const KeeperPostfix& site_;
  const Generated& generated_;
  Terms& terms_;
  const Postfix& postfix_;
  const QueueControl& control_;
  KeeperBook& book_;
  const ProviderRoutes& provider_routes_;
  const Time now_;
  std::map<std::string, Destination> all_;
  // What this run has asked to be tried, and since when; of the clock of files.
  std::set<std::string, std::less<>> asked_;
  Time asked_since_{};
  std::map<std::string, bool> greets_;
  std::optional<dns::Resolver> resolver_;  // once there is a name
  dns::Resolver::Instant dns_end_{};
  RouteLimits limits_;
  bool is_settled_ = true;  // Postfix has noticed the routes
};

}  // namespace mxfeed
