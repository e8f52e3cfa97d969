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
      CHECK(exemption(envelope, {c.local_part, "acme.example"}, domain, gateway) ==
            c.exemption);
    }
  }
}

TEST_CASE("with when=suspicious a client with a name of its own is exempt",
          "[greylist]") {
  Envelope envelope;
  envelope.client = {IpAddress::parse("198.51.100.7"), "mail.sender.example"};
  std::optional<DomainPolicy> domain;
  domain.emplace().greylist.when = GreylistWhen::suspicious;
  CHECK(exemption(envelope, {"info", "acme.example"}, domain, {}) == "not-suspicious");
  domain->greylist.when = GreylistWhen::always;
  CHECK(exemption(envelope, {"info", "acme.example"}, domain, {}).empty());
}

TEST_CASE("clients with generic names are suspicious", "[greylist]") {
  struct Case {
    const char* address;
    const char* name;
    bool suspicious;
  };
  const Case cases[] = {
      {"198.51.100.7", "", true},
      {"198.51.100.7", "mail.sender.example", false},
      {"198.51.100.7", "mx7.sender.example", false},
      {"198.51.100.7", "sender.example", false},
      {"198.51.100.7", "mailer-100-12.out.sender.example", false},
      {"198.51.100.7", "198-51-100-7.isp.example", true},
      {"198.51.100.7", "7.100.51.198.isp.example", true},
      {"198.51.100.7", "host007.net100.isp.example", true},
      {"198.51.100.7", "ip198051100007.isp.example", true},
      {"198.51.100.7", "c6336407.isp.example", true},
      {"198.51.100.7", "P5.DYN.Isp.Example", true},
      {"198.51.100.7", "p5.dynamic2.isp.example", true},
      {"198.51.100.7", "a.pool-3.isp.example", true},
      {"198.51.100.7", "dynamics.out.sender.example", false},
      {"198.51.100.7", "mail.dyn.example", false},
      {"198.51.7.7", "mx7.a.sender.example", false},
      {"198.51.7.7", "7-7.a.sender.example", true},
      {"2001:db8::7", "mail7.sender.example", false},
      {"2001:db8::7", "2001-db8-7.isp.example", true},
      {"2001:db8:1:2:3:4:5:6", "x2001-db8-1-2-3-4-5-6.isp.example", true},
      {"2001:db8::7", "", true},
  };
  for (const Case& c : cases) {
    INFO(c.address << " " << c.name);
    CHECK(is_suspicious({IpAddress::parse(c.address), c.name}) == c.suspicious);
  }
  CHECK(is_suspicious({std::nullopt, "localhost"}));
}

}  // namespace
}  // namespace mxfeed::greylist
