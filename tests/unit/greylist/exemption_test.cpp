// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/exemption.h"

#include "tests/support/catch.h"

namespace mxfeed::greylist {
namespace {

TEST_CASE("mail is greylisted unless a row of the table exempts it", "[greylist]") {
  struct Case {
    const char* name;
    const char* client;  // nullptr: not from the network
    bool authenticated;
    const char* local_part;
    GreylistWhen when;
    bool ours;
    const char* exemption;
  };
  using enum GreylistWhen;
  const Case cases[] = {
      {"a client as others", "198.51.100.7", false, "info", always, true, ""},
      {"IPv6", "2001:db8::7", false, "info", always, true, ""},
      {"a domain that is not ours", "198.51.100.7", false, "info", always, false,
       "foreign-domain"},
      {"turned off", "198.51.100.7", false, "info", never, true, "off"},
      {"turned off, authenticated", "198.51.100.7", true, "info", never, true,
       "authenticated"},
      {"not from the network", nullptr, false, "info", always, true, "local"},
      {"authenticated", "198.51.100.7", true, "info", always, true, "authenticated"},
      {"trusted network", "10.1.2.3", false, "info", always, true, "trusted-network"},
      {"trusted network, IPv6", "2001:db8:1::9", false, "info", always, true,
       "trusted-network"},
      {"postmaster", "198.51.100.7", false, "PostMaster", always, true, "postmaster"},
      {"abuse", "198.51.100.7", false, "abuse", always, true, "abuse"},
      {"like postmaster", "198.51.100.7", false, "postmaster2", always, true, ""},
      {"address verification", "198.51.100.7", false, "double-bounce", always, true,
       "address-verification"},
      {"address verification, by time", "198.51.100.7", false, "double-bouncePk3XzT",
       always, true, "address-verification"},
      {"suspicious only, no name", "198.51.100.7", false, "info", suspicious, true, ""},
  };
  GatewayPolicy gateway;
  gateway.trusted_networks = {*Network::parse("10.0.0.0/8"),
                              *Network::parse("2001:db8:1::/48")};
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      Envelope envelope;
      if (c.client != nullptr) envelope.client.address = IpAddress::parse(c.client);
      envelope.authenticated = c.authenticated;
      std::optional<DomainPolicy> domain;
      if (c.ours) domain.emplace().greylist.when = c.when;
      auto found = exemption(envelope, {c.local_part, "acme.example"}, domain, gateway);
      if (found.empty()) found = exemption_by_when(envelope, domain->greylist);
      CHECK(found == c.exemption);
    }
  }
}

TEST_CASE("with when=suspicious a client with a name of its own is exempt",
          "[greylist]") {
  Envelope envelope;
  envelope.client = {IpAddress::parse("198.51.100.7"), "mail.sender.example"};
  GreylistPolicy greylist;
  greylist.when = GreylistWhen::suspicious;
  CHECK(exemption_by_when(envelope, greylist) == "not-suspicious");
  greylist.when = GreylistWhen::always;
  CHECK(exemption_by_when(envelope, greylist).empty());
}

}  // namespace
}  // namespace mxfeed::greylist
