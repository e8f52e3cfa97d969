// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/entrances.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr int kDeepestClass = 5;

constexpr std::string_view kRestrictions[] = {
    "smtpd_client_restrictions",     "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",     "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",  "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions"};

enum class Outcome { refused, permitted, undecided };

// What a list of restrictions does with mail from a stranger to a configured domain.
class RestrictionReader {
 public:
  RestrictionReader(const PostfixSettings& settings, const PostfixService& service)
      : settings_(settings), service_(service) {}

  Outcome outcome(std::string_view name, int depth = 0) const {
    bool only_warns = false;
    for (const auto item : list_items(settings_.parameter(service_, name))) {
      if (item == "warn_if_reject") {
        only_warns = true;
        continue;
      }
      const auto decided = item_outcome(item, depth);
      if (decided == Outcome::permitted) return decided;
      if (decided == Outcome::refused && !only_warns) return decided;
      only_warns = false;
    }
    return Outcome::undecided;
  }

 private:
  Outcome item_outcome(std::string_view item, int depth) const {
    constexpr std::string_view kPermits[] = {"permit", "permit_auth_destination",
                                             "permit_mx_backup"};
    constexpr std::string_view kStatic = "static:";
    if (std::find(std::begin(kPermits), std::end(kPermits), item) != std::end(kPermits)) {
      return Outcome::permitted;
    }
    if (item == "reject" || item == "defer") return Outcome::refused;
    if (istarts_with(item, kStatic)) {
      // access(5)
      const auto action = item.substr(kStatic.size());
      if (istarts_with(action, "reject") || istarts_with(action, "defer")) {
        return Outcome::refused;
      }
      if (iequals(action, "ok") || iequals(action, "permit")) return Outcome::permitted;
      return Outcome::undecided;
    }
    for (const auto one : list_items(settings_.parameter("smtpd_restriction_classes"))) {
      if (one == item && depth < kDeepestClass) return outcome(item, depth + 1);
    }
    return Outcome::undecided;
  }

  const PostfixSettings& settings_;
  const PostfixService& service_;
};

}  // namespace

bool gets_filters(const PostfixService& service, const PostfixUse& use) {
  const auto& named = use.services;
  if (named.empty()) return service.serves_strangers();
  return std::find(named.begin(), named.end(), service.name) != named.end();
}

bool takes_strangers_mail(const PostfixSettings& settings,
                          const PostfixService& service) {
  if (service.command != "smtpd" || !service.name.ends_with("/inet")) return false;
  if (service.serves_strangers()) return false;
  const bool is_reached =
      service.serves_others() ||
      !settings.parameter(service, "smtpd_upstream_proxy_protocol").empty();
  if (!is_reached) return false;
  // A login by certificate.
  if (settings.parameter(service, "smtpd_tls_req_ccert") == "yes") return false;
  const RestrictionReader reader(settings, service);
  return std::none_of(
      std::begin(kRestrictions), std::end(kRestrictions),
      [&](std::string_view name) { return reader.outcome(name) == Outcome::refused; });
}

}  // namespace mxfeed
