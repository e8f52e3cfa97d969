// SPDX-License-Identifier: GPL-2.0-or-later
//
// Addresses, domains, paths and networks.  What was parsed and written must parse again
// to the same.  A recipient with a domain is never looked up without one.

#include <string>

#include "common/mail/address.h"
#include "common/mail/envelope.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  using fuzz::require;
  const std::string_view text = fuzz::as_text(data, size);
  if (const auto domain = Domain::parse(text)) {
    require(domain->str().size() <= 253, "domains are bounded");
    const auto again = Domain::parse(domain->str());
    require(again && *again == *domain, "a domain parses to itself");
    for (const auto& key : domain->map_keys()) {
      require(Domain::from_map_key(key) == domain, "a key names its domain");
    }
  }
  if (const auto address = IpAddress::parse(text)) {
    const auto again = IpAddress::parse(address->str());
    require(again && *again == *address, "an address parses to itself");
  }
  if (const auto network = Network::parse(text)) {
    require(network->contains(network->base), "a network contains its base");
    const auto again = Network::parse(network->str());
    require(again && again->str() == network->str(), "a network parses to itself");
  }
  if (const auto path = Path::parse(text)) {
    const auto again = Path::parse("<" + path->str() + ">");
    require(again.has_value(), "a path parses again");
    require(again->local_part == path->local_part && again->domain == path->domain,
            "a path parses to itself");
  }
  const Recipient recipient = Recipient::parse(text);
  require(recipient.local_part.size() <= 320, "local parts are bounded");
  const auto at = text.rfind('@');
  const bool has_domain =
      at != text.npos && text.substr(at + 1).find_first_not_of(".>") != text.npos;
  require(!has_domain || !recipient.domain.empty(), "a domain is looked up");
  require(recipient.domain.find('@') == std::string::npos, "domains end local parts");
  return 0;
}
