// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/open_relay.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "common/base/text.h"

namespace mxfeed {
namespace {

// No provider's own network is larger than this.
constexpr std::uint64_t kLeastPrefixV4 = 8;
constexpr std::uint64_t kLeastPrefixV6 = 16;

bool is_private(std::string_view network) {
  return network.starts_with("10.") || network.starts_with("127.") ||
         istarts_with(network, "[fc") || istarts_with(network, "[fd") ||
         istarts_with(network, "[fe80:");
}

// An item of mynetworks that matches (nearly) everybody; empty if there is none.
std::string_view everybody_in(std::string_view mynetworks) {
  for (const auto item : list_items(mynetworks)) {
    if (istarts_with(item, "static:")) return item;
    const auto slash = item.rfind('/');
    if (slash == std::string_view::npos || is_private(item)) continue;
    const auto prefix = parse_unsigned(item.substr(slash + 1));
    const bool v6 = item.find(':') < slash;
    if (prefix && *prefix < (v6 ? kLeastPrefixV6 : kLeastPrefixV4)) return item;
  }
  return {};
}

// access(5): whether the action accepts.
bool accepts(std::string_view action) {
  const auto word = action.substr(0, action.find_first_of(" \t}"));
  return iequals(word, "ok") || iequals(word, "permit") ||
         (!word.empty() && std::all_of(word.begin(), word.end(), is_digit));
}

// The item in a list of restrictions that lets everybody relay, "NAME: ITEM"; nothing if
// the list refuses that, an empty text if it ends without a decision.
std::optional<std::string> permits(const PostfixSettings& settings,
                                   const PostfixService& service, const char* name) {
  const auto mynetworks = settings.parameter(service, "mynetworks");
  for (const auto item : list_items(settings.parameter(service, name))) {
    if (item == "permit" || (istarts_with(item, "static:") && accepts(item.substr(7)))) {
      return fmt::format("{}: {}", name, item);
    }
    if (item == "permit_mynetworks") {
      const auto everybody = everybody_in(mynetworks);
      if (!everybody.empty()) return fmt::format("mynetworks={}", everybody);
    }
    if (item == "reject_unauth_destination" || item == "defer_unauth_destination" ||
        item == "reject" || item == "defer") {
      return std::nullopt;
    }
  }
  return std::string();
}

// Parameters that list our own domains.
constexpr std::string_view kOurDomains[] = {
    "relay_domains", "mydestination", "virtual_mailbox_domains", "virtual_alias_domains"};

}  // namespace

bool is_everybody(const Network& network) {
  const auto& base = network.base;
  if (base.is_private() || base.is_loopback() || base.is_link_local()) return false;
  return network.bits < (base.is_v4() ? kLeastPrefixV4 : kLeastPrefixV6);
}

std::vector<std::string> open_relays(const PostfixSettings& settings) {
  std::vector<std::string> found;
  const auto main = (settings.config / "main.cf").string();
  for (const auto name : kOurDomains) {
    for (const auto item : list_items(settings.parameter(name))) {
      if (!istarts_with(item, "static:")) continue;
      found.push_back(fmt::format("{}: {}: {} matches every domain", main, name,
                                  escape_untrusted(item)));
    }
  }
  for (const auto& service : settings.services) {
    if (!service.serves_others()) continue;
    const auto relay = permits(settings, service, "smtpd_relay_restrictions");
    const auto recipient = permits(settings, service, "smtpd_recipient_restrictions");
    // Mail must pass both lists; Postfix refuses to run if neither decides.
    if (!relay || !recipient || (relay->empty() && recipient->empty())) continue;
    found.push_back(fmt::format("{}: {}: {} lets everybody relay",
                                (settings.config / "master.cf").string(),
                                escape_untrusted(service.name),
                                escape_untrusted(relay->empty() ? *recipient : *relay)));
  }
  return found;
}

}  // namespace mxfeed
