// SPDX-License-Identifier: GPL-2.0-or-later
//
// Addresses, domains, paths and networks.  What was parsed and written must parse again
// to the same.

#include <string>

#include "common/mail/address.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  using fuzz::require;
  const std::string_view text = fuzz::as_text(data, size);
  if (const auto domain = Domain::parse(text)) {
    require(domain->str().size() <= 253, "domains are bounded");
    const auto again = Domain::parse(domain->str());
    require(again && *again == *domain, "a domain parses to itself");
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
  return 0;
}
