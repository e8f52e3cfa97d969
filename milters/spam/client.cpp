// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "common/base/text.h"
#include "milters/spam/evidence/table.h"

namespace mxfeed::spam {
namespace {

// Whether the name is the address in other words: "p192-0-2-7.isp.example",
// "7.2.0.192.isp.example".
bool is_made_of(std::string_view name, const IpAddress& address) {
  if (!address.is_v4() || name.find("static") != name.npos) return false;
  const std::string text = address.str();
  auto octets = split(text, '.');
  for (int turn = 0; turn < 2; ++turn) {
    for (const char separator : {'-', '.', '_'}) {
      const std::string joined =
          fmt::format("{}", fmt::join(octets, std::string(1, separator)));
      if (name.find(joined) != name.npos) return true;
    }
    std::reverse(octets.begin(), octets.end());
  }
  return false;
}

// Names that providers give to the lines of their customers.
bool says_dynamic(std::string_view name) {
  static constexpr std::string_view kWords[] = {"dynamic", "dhcp", "dialup", "dial-up",
                                                "pppoe",   "dsl-", "cable-", "pool-"};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view word) { return name.find(word) != name.npos; });
}

bool is_ours(std::string_view helo, const GatewayPolicy& gateway) {
  if (!gateway.host_name.empty() && iequals(helo, gateway.host_name)) return true;
  std::string_view text = helo;
  if (text.starts_with('[') && text.ends_with(']'))
    text = text.substr(1, text.size() - 2);
  const auto address = IpAddress::parse(text);
  return address &&
         std::any_of(gateway.host_addresses.begin(), gateway.host_addresses.end(),
                     [&](const Network& own) { return own.contains(*address); });
}

}  // namespace

std::vector<Evidence> client_evidence(const Envelope& envelope,
                                      const GatewayPolicy& gateway) {
  std::vector<Evidence> found;
  const Client& client = envelope.client;
  if (!client.address) return found;
  const std::string name = ascii_lower(client.name);
  if (name.empty()) {
    found.push_back(evidence("client-without-name"));
  } else if (is_made_of(name, *client.address) || says_dynamic(name)) {
    found.push_back(evidence("client-dynamic"));
  }
  const std::string_view helo = envelope.helo;
  if (is_ours(helo, gateway)) {
    found.push_back(evidence("helo-ours"));
  } else if (IpAddress::parse(helo)) {
    found.push_back(evidence("helo-address"));
  } else if (!helo.empty() && helo.find('.') == helo.npos && !helo.starts_with('[')) {
    found.push_back(evidence("helo-no-domain"));
  }
  return found;
}

}  // namespace mxfeed::spam
