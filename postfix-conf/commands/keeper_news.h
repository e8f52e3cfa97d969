// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the keeper tells: alerts to the operator, and warnings to the customers' contacts.

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "postfix-conf/commands/keeper_state.h"
#include "postfix-conf/config/config.h"
#include "postfix-conf/queue/alerts.h"
#include "postfix-conf/queue/keeper_book.h"
#include "postfix-conf/queue/plan.h"
#include "postfix-conf/queue/terms.h"

namespace mxfeed {

// Reads the configuration when it is needed first.  No function throws for what is wrong
// there or with a channel: that is logged.
class KeeperNews {
 public:
  // The arguments must outlive the object.
  KeeperNews(const std::filesystem::path& config, const std::filesystem::path& state,
             const KeeperPostfix& postfix, KeeperBook& book, Terms& terms, Time now)
      : directory_(config),
        state_(state),
        postfix_(postfix),
        book_(book),
        terms_(terms),
        now_(now) {}

  // At most one of a kind and domain an hour.
  void alert(const Alert& alert);

  // Tells by mail that messages for the domain expire soon, at most once a day: to those
  // contacts of its customer whose mail does not come here.  Alerts, too.
  void warn(const std::string& domain, const ExpiringSoon& soon);

 private:
  const Config& config();
  std::vector<std::string> contacts_of(const std::string& customer);
  void mail(const std::vector<std::string>& contacts, const std::string& domain,
            const std::string& text) const;

  const std::filesystem::path& directory_;
  const std::filesystem::path& state_;
  const KeeperPostfix& postfix_;
  KeeperBook& book_;
  Terms& terms_;
  const Time now_;
  std::optional<Config> config_;
};

}  // namespace mxfeed
