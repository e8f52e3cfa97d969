// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/route.h"

#include <optional>

#include "common/base/text.h"

namespace mxfeed::recipients {
namespace {

constexpr std::uint64_t kMaxPort = 65535;

// "[192.0.2.7]:25"
std::optional<NextHop> parse_hop(std::string_view text) {
  if (text.empty() || text.front() != '[') return std::nullopt;
  const auto end = text.find(']');
  if (end == std::string_view::npos || end == 1) return std::nullopt;
  NextHop hop{std::string(text.substr(1, end - 1)), 25};
  const std::string_view rest = text.substr(end + 1);
  if (rest.empty()) return hop;
  const auto port = rest.front() == ':' ? parse_unsigned(rest.substr(1)) : std::nullopt;
  if (!port || *port == 0 || *port > kMaxPort) return std::nullopt;
  hop.port = static_cast<std::uint16_t>(*port);
  return hop;
}

}  // namespace

std::vector<NextHop> parse_route(std::string_view value) {
  std::vector<NextHop> hops;
  const auto colon = value.find(':');
  const std::string_view transport = value.substr(0, colon);
  if (transport != "mxfeed-relay" && transport != "mxfeed-soft") return hops;
  for (const std::string_view item : split(value.substr(colon + 1), ',')) {
    if (auto hop = parse_hop(trim(item))) hops.push_back(*std::move(hop));
  }
  return hops;
}

std::string Routes::find(std::string_view domain) const {
  if (auto own = transports_.find(domain)) return *std::move(own);
  for (auto dot = domain.find('.'); dot != std::string_view::npos;
       dot = domain.find('.')) {
    domain.remove_prefix(dot);
    if (auto below = transports_.find(domain)) return *std::move(below);
    domain.remove_prefix(1);
  }
  return {};
}

}  // namespace mxfeed::recipients
