// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the keeper remembers from run to run: an SQLite database.  What it has begun to
// expire is written to the disk before it is done, so that a run that is killed at any
// point can be continued by the next one.

#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/host_clock.h"
#include "common/store/sqlite.h"
#include "postfix-conf/queue/plan.h"
#include "postfix-conf/queue/provider_routes.h"
#include "postfix-conf/queue/recovery.h"

namespace mxfeed {

// Functions throw Fault.
class KeeperBook {
 public:
  // Creates the file if necessary.  Throws Fault if another version has written it.
  explicit KeeperBook(const std::filesystem::path& file);

  // The journal of expiry.  An entry is open from before the message is touched until
  // Postfix has been told to bounce or to release it.
  void begin(const std::vector<PlannedStep>& steps, Time now);
  void finish(const std::vector<std::string>& ids, std::string_view outcome);
  std::set<std::string, std::less<>> open() const;

  std::optional<ClockMark> clock() const;
  void set_clock(const ClockMark& mark);

  // Whether nothing of the kind was sent for the subject since `now` - `interval`; notes
  // that it is sent now.
  bool may_send(std::string_view kind, std::string_view subject, Time now,
                std::chrono::seconds interval);

  // The customers' servers that were probed, by domain.
  std::map<std::string, Destination> destinations() const;
  void set_destination(const std::string& domain, const Destination& destination);

  // The routes to the provider's postmaster.
  ProviderRoutes provider_routes() const;
  void set_provider_routes(const ProviderRoutes& routes);

  // Removes closed entries of the journal, and notes, after some weeks.
  void prune(Time now);

 private:
  const std::unique_ptr<Sqlite> opened_;
  Sqlite& database_;
};

}  // namespace mxfeed
