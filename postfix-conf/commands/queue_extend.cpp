// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/queue_extend.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/base/time_text.h"
#include "common/command/listing.h"
#include "common/mail/address.h"
#include "postfix-conf/commands/config_edit.h"
#include "postfix-conf/commands/keeper_state.h"
#include "postfix-conf/config/config.h"
#include "postfix-conf/config/settings.h"
#include "postfix-conf/config/toml_edit.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/postfix/postfix.h"
#include "postfix-conf/queue/overview.h"

namespace mxfeed {
namespace {

constexpr const char* kKey = "extend_until";
constexpr std::chrono::hours kLongest{24 * 100};  // Postfix's own limit

// Postfix's maximal_queue_lifetime; days if it has no unit.
std::optional<std::chrono::seconds> longest_in(const Postfix& postfix) {
  const auto value = postfix.parameters({"maximal_queue_lifetime"}).at(0);
  if (const auto days = parse_unsigned(value); days && *days < 10'000) {
    return std::chrono::hours(24 * *days);
  }
  return parse_duration(value);
}

// How Postfix's lifetime becomes as long as that; empty if it cannot.
std::string how_to_raise(std::chrono::seconds needed, std::chrono::seconds longest,
                         bool is_dedicated) {
  if (longest >= kLongest || needed > kLongest) return {};
  if (is_dedicated) return ", or run mxfeed postfix attach, which raises it";
  const auto days = std::chrono::ceil<std::chrono::hours>(needed).count() / 24 + 1;
  return fmt::format(
      ", or raise it, for all mail of this Postfix: postconf -e "
      "maximal_queue_lifetime={}d; postfix reload",
      std::min<std::int64_t>(days, kLongest.count() / 24));
}

// Ends the command if Postfix would return mail before that time.
void check_time(const QueueOptions& options, const std::string& domain, Time until) {
  const Time now = system_time();
  if (until <= now) throw CommandError(ExitCode::wrong, "--until: is in the past");
  if (until - now > kLongest) {
    throw CommandError(ExitCode::wrong,
                       "--until: Postfix keeps no mail for more than 100 days");
  }
  const Postfix postfix(options.postfix_config);
  const auto longest = longest_in(postfix);
  Time oldest = now;
  postfix.read_queue([&](const QueuedMessage& message) {
    const bool is_for = std::any_of(message.recipients.begin(), message.recipients.end(),
                                    [&](const QueuedRecipient& one) {
                                      return is_within(domain_of(one.address), domain);
                                    });
    if (is_for) oldest = std::min(oldest, message.arrived);
  });
  if (!longest || until <= oldest + *longest) return;
  const bool is_dedicated = read_hosted(options.state).use.dedicated;
  throw CommandError(
      ExitCode::wrong,
      fmt::format("--until: Postfix returns the oldest mail at {}, because "
                  "maximal_queue_lifetime in {} is {}; give an earlier time{}",
                  utc(oldest + *longest), (options.postfix_config / "main.cf").string(),
                  format_duration(*longest),
                  how_to_raise(until - oldest, *longest, is_dedicated)));
}

}  // namespace

ExitCode extend_queue(const QueueOptions& options, const std::string& domain,
                      const std::string& until) {
  const auto time = parse_time(until);
  if (!time) {
    throw CommandError(ExitCode::usage,
                       fmt::format("--until: \"{}\" is not a time with a time zone, such "
                                   "as \"2026-12-05T18:00:00+01:00\"",
                                   escape_untrusted(until)));
  }
  const auto name = Domain::parse(domain);
  if (!name) {
    throw CommandError(ExitCode::wrong, fmt::format("\"{}\" is not a domain name",
                                                    escape_untrusted(domain)));
  }
  check_time(options, name->str(), *time);
  const std::string value = fmt::format("\"{}\"", until);
  const Config now = edit_domain(
      {options.config, options.state, domain},
      [&](const Config&, const DomainConfig& found, std::string_view text) {
        return set_domain_value(text, found, kKey, value);
      },
      [&](const DomainConfig& changed) {
        return changed.settings->extend_until == *time;
      },
      fmt::format("{} = {}", kKey, value));
  fmt::print("{}: {} = {}; run mxfeed apply\n",
             now.describe(configured_domain(now, domain).place_of(domain_setting(kKey))),
             kKey, value);
  return ExitCode::fine;
}

}  // namespace mxfeed
