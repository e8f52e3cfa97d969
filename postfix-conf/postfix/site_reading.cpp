// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/site_reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "postfix-conf/postfix/entrances.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMostTable = 4 << 20;
constexpr std::size_t kMostNetworks = 10'000;

// postconf(5), mynetworks: "[2001:db8::]/32" has its address in brackets.
std::optional<Network> parse_network(std::string_view item) {
  std::string text(item);
  std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
  return Network::parse(text);
}

class NetworkReader {
 public:
  explicit NetworkReader(SiteReading& reading) : reading_(reading) {}

  void read(std::string_view item) {
    if (item.starts_with('/')) {
      if (const auto text = content(item)) {
        each_line(*text, [&](std::string_view line) {
          for (const auto one : list_items(line)) plain(one);
        });
      }
    } else if (item.starts_with("cidr:/")) {
      const auto path = item.substr(5);
      if (const auto text = content(path)) {
        each_line(*text, [&](std::string_view line) { pattern(line, item); });
      }
    } else if (item.starts_with("cidr:{")) {
      auto inner = item.substr(6);
      if (inner.ends_with('}')) inner.remove_suffix(1);
      for (auto line : list_items(inner)) {
        if (line.starts_with('{') && line.ends_with('}')) {
          line = trim(line.substr(1, line.size() - 2));
        }
        pattern(line, "cidr:{...}");
      }
    } else {
      plain(item);
    }
  }

 private:
  void refuse(std::string_view item, std::string_view cause) {
    reading_.uncompiled.push_back(fmt::format("{}: {}", escape_untrusted(item), cause));
  }

  std::optional<std::string> content(std::string_view path) {
    try {
      auto text = read_regular_file(path, kMostTable);
      if (!text) refuse(path, "no such file");
      return text;
    } catch (const Fault& fault) {
      refuse(path, fault.cause());
      return std::nullopt;
    }
  }

  template <typename Use>
  static void each_line(std::string_view text, Use use) {
    for (const auto line : split(text, '\n')) {
      const auto whole = trim(line);
      if (!whole.empty() && !whole.starts_with('#')) use(whole);
    }
  }

  // cidr_table(5): whatever the result is, the client is in mynetworks.
  void pattern(std::string_view line, std::string_view table) {
    const auto first = line.substr(0, line.find_first_of(" \t"));
    if (first.starts_with('!') || iequals(first, "if") || iequals(first, "endif")) {
      return refuse(table, fmt::format("\"{}\" cannot be compiled into the policy",
                                       escape_untrusted(first)));
    }
    plain(first);
  }

  void plain(std::string_view item) {
    if (item.starts_with('!')) {
      return refuse(item, "an exception cannot be compiled into the policy");
    }
    const auto network = parse_network(item);
    if (!network) {
      return refuse(item,
                    "cannot be compiled into the policy: it takes networks and tables of "
                    "type cidr");
    }
    auto& all = reading_.site.mynetworks;
    if (all.size() >= kMostNetworks) {
      if (all.size() == kMostNetworks && !is_full_) refuse(item, "too many networks");
      is_full_ = true;
      return;
    }
    all.push_back(*network);
  }

  SiteReading& reading_;
  bool is_full_ = false;
};

}  // namespace

SiteReading read_site(const PostfixSettings& settings, const PostfixUse& use,
                      const std::filesystem::path& state) {
  SiteReading reading;
  const std::string ours = (state / "current-postfix/").string();
  for (const auto item : list_items(settings.parameter("relay_recipient_maps"))) {
    if (item.find(ours) == std::string_view::npos) {
      reading.site.has_relay_recipients = true;
    }
  }
  for (const auto item :
       list_items(settings.parameter("parent_domain_matches_subdomains"))) {
    if (item == "relay_domains") reading.site.parents_match = true;
  }
  reading.site.proxies = fmt::format(
      "{}", fmt::join(list_items(settings.parameter("proxy_interfaces")), ", "));
  const auto service =
      std::find_if(settings.services.begin(), settings.services.end(),
                   [&](const PostfixService& one) { return gets_filters(one, use); });
  const auto mynetworks = service == settings.services.end()
                              ? settings.parameter("mynetworks")
                              : settings.parameter(*service, "mynetworks");
  NetworkReader reader(reading);
  for (const auto item : list_items(mynetworks)) reader.read(item);
  return reading;
}

}  // namespace mxfeed
