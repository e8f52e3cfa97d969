// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/init/other_uses.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"

namespace mxfeed {
namespace {

// A parameter and its value on a Postfix without other uses.
struct Unused {
  std::string_view name;
  std::string_view value;
};
constexpr Unused kUnused[] = {
    {"relay_recipient_maps", ""},
    {"relay_transport", "relay"},
    {"relayhost", ""},
    {"sender_dependent_relayhost_maps", ""},
    {"transport_maps", ""},
    {"default_transport", "smtp"},
    {"sender_dependent_default_transport_maps", ""},
    {"mailbox_transport", ""},
    {"mailbox_transport_maps", ""},
    {"fallback_transport", ""},
    {"fallback_transport_maps", ""},
    {"virtual_transport", "virtual"},
    {"virtual_alias_domains", ""},
    {"virtual_alias_maps", ""},
    {"virtual_mailbox_domains", ""},
    {"virtual_mailbox_maps", ""},
    {"smtpd_milters", ""},
    {"non_smtpd_milters", ""},
    {"content_filter", ""},
    {"smtpd_proxy_filter", ""},
};

// How much is shown of a value.
constexpr std::size_t kShown = 60;

std::string_view first_label(std::string_view name) {
  return name.substr(0, name.find('.'));
}

// Whether the domain is a name of the host itself: mx1, mx1.isp.example, localhost.
bool is_own(std::string_view domain, std::string_view host) {
  const auto label = first_label(domain);
  if (iequals(label, "localhost")) return true;
  if (iequals(domain, host)) return true;
  const bool is_short = label == domain || first_label(host) == host;
  return is_short && !host.empty() && iequals(label, first_label(host));
}

class Search {
 public:
  Search(const SiteView& site, std::string_view name,
         std::span<const IpAddress> addresses)
      : site_(site), settings_(site.settings), name_(name), addresses_(addresses) {}

  std::vector<std::string> find() {
    domains("mydestination");
    // Before compatibility_level 2 it has the value of mydestination.
    domains("relay_domains");
    for (const auto& one : kUnused) compare(one);
    networks();
    services();
    return std::move(found_);
  }

 private:
  void add(std::string_view name, std::string_view value) {
    found_.push_back(fmt::format("{} = {}{}", name, escape_line(value.substr(0, kShown)),
                                 value.size() > kShown ? "..." : ""));
  }

  void domains(std::string_view parameter) {
    const auto list = settings_.parameter(parameter);
    const auto items = list_items(list);
    const bool all_own = std::all_of(items.begin(), items.end(), [&](auto item) {
      return is_own(item, name_) || is_own(item, settings_.parameter("myhostname"));
    });
    if (!all_own) add(parameter, list);
  }

  void compare(const Unused& unused) {
    const auto value = settings_.parameter(unused.name);
    // A Postfix of another version may lack it.
    if (!value.empty() && value != unused.value) add(unused.name, value);
  }

  // Whether only processes of this host have it.
  bool is_of_host(const Network& network) const {
    if (network.base.is_loopback() || network.base.is_link_local()) return true;
    return std::any_of(addresses_.begin(), addresses_.end(), [&](const auto& address) {
      return network == Network{address, address.is_v4() ? 32u : 128u};
    });
  }

  void networks() {
    const auto& all = site_.reading.site.mynetworks;
    const bool are_own = std::all_of(all.begin(), all.end(),
                                     [&](const Network& one) { return is_of_host(one); });
    if (!are_own || !site_.reading.uncompiled.empty()) {
      add("mynetworks", settings_.parameter("mynetworks"));
    }
  }

  void services() {
    for (const auto& service : settings_.services) {
      if (service.command != "smtpd") continue;
      if (!service.serves_strangers()) {
        found_.push_back(fmt::format("{} in master.cf", escape_untrusted(service.name)));
        continue;
      }
      for (const auto& one : kUnused) {
        const auto own = service.options.find(one.name);
        if (own == service.options.end() || own->second == one.value) continue;
        found_.push_back(fmt::format("{} in master.cf: -o {} = {}",
                                     escape_untrusted(service.name), one.name,
                                     escape_line(own->second.substr(0, kShown))));
      }
    }
  }

  const SiteView& site_;
  const PostfixSettings& settings_;
  const std::string_view name_;
  const std::span<const IpAddress> addresses_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> other_uses(const SiteView& site, std::string_view name,
                                    std::span<const IpAddress> addresses) {
  return Search(site, name, addresses).find();
}

std::vector<std::string> milters_of(const PostfixSettings& settings) {
  std::vector<std::string> milters;
  for (const auto& service : settings.services) {
    if (!service.serves_strangers()) continue;
    for (const auto item : list_items(settings.parameter(service, "smtpd_milters"))) {
      if (item.find("unix:mxfeed/") != std::string_view::npos) continue;
      if (std::find(milters.begin(), milters.end(), item) == milters.end()) {
        milters.emplace_back(item);
      }
    }
  }
  return milters;
}

bool listens_on_loopback_only(const PostfixSettings& settings) {
  const auto items = list_items(settings.parameter("inet_interfaces"));
  return !items.empty() && std::all_of(items.begin(), items.end(), [](auto item) {
    return item == "loopback-only" || item == "localhost" || item == "[::1]" ||
           item == "::1" || item.starts_with("127.");
  });
}

}  // namespace mxfeed
