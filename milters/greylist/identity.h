// SPDX-License-Identifier: GPL-2.0-or-later
//
// Who the client is, as far as it can be verified.  A sender is recognised by it: a pool
// of servers has one identity, though each try may come from another address.  It only
// names the sender and exempts nobody: senders of spam publish SPF records too.  Pure.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/mail/envelope.h"
#include "common/net/spf.h"
#include "common/policy/domain_policy.h"

namespace mxfeed::greylist {

// Best first.
enum class IdentityKind : std::uint8_t {
  domain,  // the organisation of the sender's domain: its SPF record names the client, or
           // the client's forward-confirmed name is one of its own
  name,    // another organisation, that of the client's name
  network,  // the client's network
};

struct Identity {
  IdentityKind kind = IdentityKind::network;
  std::string text;  // "acme.example" or "198.51.100.0/24"
  bool operator==(const Identity&) const = default;
};

// The best one; and the network, by which the sender is recognised when the best one
// could be verified in one try and not in the next.
struct Identities {
  Identity best;
  Identity network;
  std::string host;  // the client's address; for IPv6, its network
  std::string
      provider;  // the organisation of the client's name, if it is not the sender's

  bool is_verified() const { return best.kind != IdentityKind::network; }
};

// `spf` has no result if it was not checked.  A record that allows any client (+all, or
// networks of which each holds a large part of the Internet) verifies none.  A name that
// looks generic stands for a network, not for an organisation.
Identities identities_of(const Client& client, std::string_view sender,
                         const spf::Verdict& spf,
                         const GatewayPolicy::Greylist& settings);

// Whether SPF confirms that the client sends for the domain, by a record that does not
// allow any client.
bool confirms(const spf::Verdict& spf, std::string_view domain);

// "domain", "name" or "network".
std::string_view to_string(IdentityKind kind);

}  // namespace mxfeed::greylist
