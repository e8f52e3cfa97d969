// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/differences.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "common/base/time_text.h"

namespace mxfeed {
namespace {

std::string_view subdomains_word(Row below) {
  if (is_relayed(below)) return "true";
  return below == Row::none ? "false" : to_string(below);
}

std::string time_text(Time time) {
  return time == Time() ? "none" : format_time(time);
}

std::string_view state_of(const Hosted& hosted) {
  return hosted.intake == Intake::open ? to_string(hosted.own) : to_string(hosted.intake);
}

std::string summary(const Hosted& hosted) {
  const std::string_view below = hosted.below == Row::none ? "" : ", subdomains";
  if (!is_relayed(hosted.own)) return fmt::format("{}{}", to_string(hosted.own), below);
  return fmt::format("{} {} {}{}", to_string(hosted.service), state_of(hosted),
                     hosted.route, below);
}

void add_changes(const Hosted& now, const DomainPolicy& policy, const Hosted& before,
                 const DomainPolicy& policy_before, std::vector<std::string>& lines) {
  const auto changed = [&](std::string_view what, std::string_view from,
                           std::string_view to) {
    if (from != to) {
      lines.push_back(fmt::format("~ {}: {} {} -> {}", now.name, what, from, to));
    }
  };
  changed("service", to_string(before.service), to_string(now.service));
  changed("state", state_of(before), state_of(now));
  changed("route", before.route, now.route);
  changed("subdomains", subdomains_word(before.below), subdomains_word(now.below));
  changed("queue_lifetime", format_duration(before.queue_lifetime),
          format_duration(now.queue_lifetime));
  changed("extend_until", time_text(before.extended_until),
          time_text(now.extended_until));
  changed("on_refusal", to_string(before.on_refusal), to_string(now.on_refusal));
  changed("backup_while_up", to_string(before.while_up), to_string(now.while_up));
  changed("standby_mailboxes", before.standby ? "true" : "false",
          now.standby ? "true" : "false");
  changed("queue_quota", std::to_string(before.queue_quota),
          std::to_string(now.queue_quota));
  changed("blocklist", before.blocklist ? "reject" : "off",
          now.blocklist ? "reject" : "off");
  changed("callout", before.callout ? "yes" : "no", now.callout ? "yes" : "no");
  changed("callout_while_down", to_string(before.while_down), to_string(now.while_down));
  changed("tls", before.tls.empty() ? "none" : before.tls,
          now.tls.empty() ? "none" : now.tls);
  changed("customer", before.customer, now.customer);
  changed("max_size", std::to_string(policy_before.max_size),
          std::to_string(policy.max_size));
  if (policy.greylist != policy_before.greylist) {
    lines.push_back(fmt::format("~ {}: greylist policy", now.name));
  }
  if (policy.virus != policy_before.virus) {
    lines.push_back(fmt::format("~ {}: virus policy", now.name));
  }
  if (policy.spam != policy_before.spam) {
    lines.push_back(fmt::format("~ {}: spam policy", now.name));
  }
  if (policy.quarantine != policy_before.quarantine) {
    lines.push_back(fmt::format("~ {}: quarantine", now.name));
  }
}

void add_recipients(const std::string& name, const RecipientLists& next,
                    const RecipientLists& previous, std::vector<std::string>& lines) {
  const auto now = next.find(name);
  const auto before = previous.find(name);
  const auto size = [&](const auto& found, const RecipientLists& in) {
    return found == in.end() ? std::string("any") : std::to_string(found->second.size());
  };
  const bool is_same = (now == next.end()) == (before == previous.end()) &&
                       (now == next.end() || now->second == before->second);
  if (is_same) return;
  lines.push_back(fmt::format("~ {}: recipients {} -> {}", name, size(before, previous),
                              size(now, next)));
}

}  // namespace

std::vector<std::string> differences(const Generated& next, const Generated& previous) {
  std::vector<std::string> lines;
  auto now = next.hosted.begin();
  auto before = previous.hosted.begin();
  while (now != next.hosted.end() || before != previous.hosted.end()) {
    if (before == previous.hosted.end() ||
        (now != next.hosted.end() && now->name < before->name)) {
      lines.push_back(fmt::format("+ {}: {}", now->name, summary(*now)));
      ++now;
    } else if (now == next.hosted.end() || before->name < now->name) {
      lines.push_back(fmt::format(
          "- {}: {}", before->name,
          before->own == Row::refused ? "no longer refused" : "its queue is empty"));
      ++before;
    } else {
      if (is_relayed(before->own) && now->own == Row::kept) {
        lines.push_back(fmt::format(
            "- {}: {}; its queue is kept", now->name,
            now->intake == Intake::gone ? "vanished, new mail is put off" : "removed"));
      } else {
        add_changes(*now, next.policies.at(now->policy), *before,
                    previous.policies.at(before->policy), lines);
        add_recipients(now->name, next.recipients, previous.recipients, lines);
      }
      ++now;
      ++before;
    }
  }
  for (const auto& parameter : next.main_cf) {
    const auto same =
        std::find(previous.main_cf.begin(), previous.main_cf.end(), parameter);
    if (same == previous.main_cf.end() && !previous.main_cf.empty()) {
      lines.push_back(
          fmt::format("~ main.cf: {} = {}", parameter.first, parameter.second));
    }
  }
  auto gateway = next.gateway;
  gateway.generation = previous.gateway.generation;
  if (next.mailboxes != previous.mailboxes) {
    lines.push_back(fmt::format("~ mailboxes: {} -> {}", previous.mailboxes.size(),
                                next.mailboxes.size()));
  }
  if (gateway != previous.gateway || next.foreign != previous.foreign) {
    lines.emplace_back("~ settings of the gateway");
  }
  return lines;
}

}  // namespace mxfeed
