// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/quarantine_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <string_view>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/mail/address.h"
#include "common/net/smtp_client.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/postfix/attach/survey.h"

namespace mxfeed {
namespace {

// For all of its addresses.
constexpr std::chrono::seconds kPatience{5};

// "[192.0.2.7]:2424"
std::optional<smtp::Target> parse_target(std::string_view server) {
  const auto end = server.rfind("]:");
  if (!server.starts_with('[') || end == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(server.substr(1, end - 1));
  const auto port = parse_unsigned(server.substr(end + 2));
  if (!address || !port || *port > std::numeric_limits<std::uint16_t>::max()) {
    return std::nullopt;
  }
  return smtp::Target{*address, static_cast<std::uint16_t>(*port), std::nullopt};
}

// As smtp(8) of our transport.
std::optional<IpAddress> source_for(const IpAddress& server,
                                    const GatewayPolicy& gateway) {
  const auto& own = gateway.host_addresses;
  const auto found = std::find_if(own.begin(), own.end(), [&](const Network& one) {
    return one.base.is_v4() == server.is_v4();
  });
  if (found == own.end() || !smtp::can_come_from(found->base)) return std::nullopt;
  return found->base;
}

}  // namespace

std::string quarantine_host_of(const std::filesystem::path& state) {
  try {
    return read_needs(state / Generations::kCurrentPostfix).use.quarantine_host;
  } catch (const Fault&) {
    return {};
  }
}

std::optional<std::string> why_host_takes_none(const Generated& generated) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::optional<std::string> cause;
  for (const auto& server : generated.use.quarantine_servers) {
    auto target = parse_target(server);
    if (!target) continue;
    target->source = source_for(target->address, generated.gateway);
    try {
      const smtp::Session session(*target, deadline);
      if (session.greeting().is_positive()) return std::nullopt;
      cause = fmt::format(
          "{}: {}: if it does not know this host yet, run mxfeed apply and mxfeed "
          "postfix attach there",
          server, escape_untrusted(session.greeting().text()));
    } catch (const Fault& fault) {
      if (!cause) cause = fault.what();
    }
  }
  return cause;
}

}  // namespace mxfeed
