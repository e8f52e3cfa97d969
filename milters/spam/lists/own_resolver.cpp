// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/lists/own_resolver.h"

#include <algorithm>

#include "common/base/text.h"

namespace mxfeed::spam {
namespace {

// Of Google, Cloudflare, Quad9, OpenDNS, Level 3, Verisign, AdGuard, Yandex, DNS.Watch
// and CleanBrowsing.
constexpr std::string_view kPublic[] = {
    "8.8.8.8/32",          "8.8.4.4/32",           "1.1.1.0/24",
    "1.0.0.0/24",          "9.9.9.0/24",           "149.112.112.0/24",
    "208.67.222.0/24",     "208.67.220.0/24",      "4.2.2.0/29",
    "64.6.64.0/23",        "94.140.14.0/23",       "77.88.8.0/24",
    "84.200.69.80/32",     "84.200.70.40/32",      "185.228.168.0/23",
    "2001:4860:4860::/48", "2606:4700:4700::/48",  "2620:fe::/48",
    "2620:119:35::/48",    "2620:119:53::/48",     "2620:74:1b::/48",
    "2a10:50c0::/32",      "2a02:6b8::feed:0/112", "2a0d:2a00:1::/48",
};

bool is_public(const IpAddress& server) {
  return std::ranges::any_of(kPublic, [&](std::string_view network) {
    return Network::parse(network)->contains(server);
  });
}

}  // namespace

std::optional<IpAddress> public_resolver(std::string_view resolv_conf) {
  constexpr std::string_view kKey = "nameserver";
  for (const auto line : split(resolv_conf, '\n')) {
    if (!line.starts_with(kKey)) continue;
    auto value = trim(line.substr(kKey.size()));
    value = value.substr(0, value.find_first_of(" \t%#;"));
    const auto server = IpAddress::parse(value);
    if (server && is_public(*server)) return server;
  }
  return std::nullopt;
}

std::string why_not_asked(std::string_view resolv_conf) {
  const auto server = public_resolver(resolv_conf);
  return server ? server->str() + " in /etc/resolv.conf is a public resolver" : "";
}

}  // namespace mxfeed::spam
