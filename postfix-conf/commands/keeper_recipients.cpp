// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/keeper_recipients.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/command/listing.h"
#include "postfix-conf/commands/apply.h"
#include "postfix-conf/commands/domain_source.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/commands/recipient_commands.h"
#include "postfix-conf/config/load.h"

namespace mxfeed {
namespace {

constexpr std::chrono::hours kRenewedAfter{1};

using Names = std::set<std::string, std::less<>>;

// Those of the domains whose list is not the one in force.
RecipientLists changed_lists(const Config& config, const Names& domains,
                             const Generated& in_force) {
  RecipientLists changed;
  for (const auto& name : domains) {
    const auto now = config.recipients.find(name);
    if (now != config.recipients.end() &&
        now->second != in_force.recipients.find(name)->second) {
      changed.insert(*now);
    }
  }
  return changed;
}

void tell(const Config& config, const std::vector<Problem>& problems, KeeperNews& news) {
  if (problems.empty()) return;
  for (const auto& one : problems) {
    complain(fmt::format("warning: {}", config.describe(one)));
  }
  news.alert({"recipients", "",
              fmt::format("{} of recipients could not be renewed; the first: {}",
                          count_of(problems.size(), "list"),
                          config.describe(problems.front()))});
}

}  // namespace

void refresh_recipients(const KeeperOptions& options, const Generated& in_force,
                        KeeperBook& book, KeeperNews& news, Time now) {
  Names due;
  for (auto& name : stale_recipient_lists(options.state, now, kRenewedAfter)) {
    if (in_force.recipients.contains(name)) due.insert(std::move(name));
  }
  if (due.empty() || !book.may_send("recipient_commands", "", now, kRenewedAfter)) return;
  Config config = load_config(options.config, {}, kept_rows(options.state));
  if (!config.errors.empty()) {
    complain("warning: recipients are not renewed: the configuration has errors");
    return;
  }
  config.warnings.clear();
  run_recipient_commands(
      config, {.state = options.state,
               .is_due = [&](const std::string& name) { return due.contains(name); }});
  auto problems = std::move(config.warnings);
  problems.insert(problems.end(), config.errors.begin(), config.errors.end());
  tell(config, problems, news);
  const auto changed = changed_lists(config, due, in_force);
  if (changed.empty()) return;
  ApplyOptions apply;
  apply.config = options.config;
  apply.state = options.state;
  apply.postfix_config = options.postfix_config;
  renew_generation(apply, changed);
}

}  // namespace mxfeed
