// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/keeper_provider.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/log.h"
#include "common/command/listing.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/queue/refusal.h"

namespace mxfeed {
namespace {

// As long as the book remembers what was sent.
constexpr std::chrono::hours kBetweenObstacles{24 * 30};

void log_route(std::string_view action, std::string_view key) {
  log(Severity::notice, LogFields().add("keeper", action).add("recipient", key));
}

}  // namespace

KeeperProvider::KeeperProvider(const KeeperPostfix& site, const Generated& generated,
                               Terms& terms, KeeperBook& book, Time now)
    : site_(site),
      generated_(generated),
      terms_(terms),
      book_(book),
      now_(now),
      routes_(book.provider_routes()) {}

std::string KeeperProvider::obstacle() const {
  if (!has_provider(generated_.master_cf)) {
    return "postmaster, the provider's address, is not set in mxfeed.toml";
  }
  if (!site_.has_overlay || !site_.has_provider) {
    return fmt::format(
        "Postfix does not have the transport {}: run mxfeed postfix attach",
        kProviderTransport);
  }
  return {};
}

bool KeeperProvider::takes(const std::string& key) const {
  return obstacle().empty() && may_take_route(routes_, key, now_);
}

void KeeperProvider::add(const QueuedMessage& message) {
  // It waits for the operator.
  if (message.is_held()) return;
  for (const auto& recipient : message.recipients) {
    auto key = postmaster_key(recipient.address);
    if (key.empty() || !terms_.is_hosted(recipient.address)) continue;
    if (recipient.delay_reason && is_refusal(*recipient.delay_reason) &&
        !terms_.of(key).is_endless) {
      refused_ = key;
    }
    waiting_.insert(std::move(key));
  }
}

void KeeperProvider::tell_obstacle(KeeperNews& news) {
  const auto why = obstacle();
  if (why.empty() || refused_.empty()) return;
  if (!book_.may_send("no_provider_told", why, now_, kBetweenObstacles)) return;
  news.alert({"no_provider", "",
              fmt::format("the server refuses mail for {}, which cannot go to the "
                          "provider's postmaster: {}",
                          refused_, why)});
}

void KeeperProvider::begin(const std::string& key, const PlannedStep& step,
                           KeeperNews& news) {
  if (!routes_.emplace(key, ProviderRoute{now_, now_}).second) return;
  log_route("to-provider", key);
  news.alert({"postmaster_refused", terms_.of(key).domain,
              fmt::format("its server refuses mail for {}: it goes to the provider's "
                          "postmaster ({})",
                          key, step.reason)});
}

void KeeperProvider::run(const std::vector<PlannedStep>& steps,
                         const QueueControl& control, KeeperNews& news) {
  tell_obstacle(news);
  const ProviderRoutes before = routes_;
  const bool is_possible = obstacle().empty();
  for (auto& [key, route] : routes_) {
    if (waiting_.contains(key)) route.waited = now_;
  }
  std::erase_if(routes_, [&](const auto& one) {
    const bool is_over =
        !is_possible || !is_kept(one.second, one.first, now_, terms_, generated_);
    if (is_over) log_route("no-longer-to-provider", one.first);
    return is_over;
  });
  for (const auto& step : steps) {
    if (step.step != Step::redirect) continue;
    for (const auto& key : step.postmasters) begin(key, step, news);
  }
  if (routes_ != before) book_.set_provider_routes(routes_);
  for (const auto& step : steps) {
    if (step.step != Step::redirect) continue;
    const bool is_ready =
        std::all_of(step.postmasters.begin(), step.postmasters.end(),
                    [&](const auto& key) { return is_noticed(routes_, key, now_); });
    if (is_ready) control.attempt(step.id);
  }
}

}  // namespace mxfeed
