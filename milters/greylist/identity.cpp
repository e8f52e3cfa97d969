// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/identity.h"

#include "common/base/text.h"
#include "common/net/organisation.h"
#include "milters/greylist/client_name.h"

namespace mxfeed::greylist {
namespace {

std::string organisation_of_sender(std::string_view sender) {
  const auto at = sender.rfind('@');
  if (at == std::string_view::npos) return {};
  return organisation_of(ascii_lower(sender.substr(at + 1)));
}

}  // namespace

Identities identities_of(const Client& client, std::string_view sender,
                         const spf::Verdict& spf,
                         const GatewayPolicy::Greylist& settings) {
  const IpAddress& address = *client.address;
  const Identity network{
      IdentityKind::network,
      address.network(address.is_v4() ? settings.ipv4_prefix : settings.ipv6_prefix)};
  Identities found{network, network, address.is_v4() ? address.str() : network.text, {}};
  const std::string name =
      is_suspicious(client) ? std::string() : organisation_of(ascii_lower(client.name));
  const std::string own = organisation_of_sender(sender);
  if (confirms(spf, spf.domain)) {
    found.best = {IdentityKind::domain, organisation_of(spf.domain)};
    if (name != found.best.text) found.provider = name;
  } else if (!name.empty() && (name == own || sender.empty())) {
    found.best = {IdentityKind::domain, name};
  } else if (!name.empty() && spf.result != spf::Result::fail) {
    found.best = {IdentityKind::name, name};
  }
  return found;
}

bool confirms(const spf::Verdict& spf, std::string_view domain) {
  return spf.result == spf::Result::pass && !spf.domain.empty() && spf.domain == domain &&
         !spf.is_open;
}

std::string_view to_string(IdentityKind kind) {
  switch (kind) {
    case IdentityKind::domain:
      return "domain";
    case IdentityKind::name:
      return "name";
    case IdentityKind::network:
      return "network";
  }
  return "network";
}

}  // namespace mxfeed::greylist
