// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/identity.h"

#include "tests/support/catch.h"

namespace mxfeed::greylist {
namespace {

TEST_CASE("a client is known by the best identity that is verified", "[greylist]") {
  struct Case {
    const char* name;
    const char* address;
    const char* client_name;
    spf::Result spf;
    bool is_open;
    IdentityKind kind;
    const char* text;
    const char* network;
    const char* provider = "";
    const char* sender = "a@news.shop.co.uk";
  };
  using enum IdentityKind;
  using enum spf::Result;
  const Case cases[] = {
      {"SPF pass", "198.51.100.7", "mx.isp.example", pass, false, domain, "shop.co.uk",
       "198.51.100.0/24", "isp.example"},
      {"SPF pass, and a name of the sender", "198.51.100.7", "mx.shop.co.uk", pass, false,
       domain, "shop.co.uk", "198.51.100.0/24"},
      {"a name of the sender", "198.51.100.7", "mx.shop.co.uk", none, false, domain,
       "shop.co.uk", "198.51.100.0/24"},
      {"a name of who bounces", "198.51.100.7", "mx.isp.example", none, false, domain,
       "isp.example", "198.51.100.0/24", "", ""},
      {"SPF pass without a name", "198.51.100.7", "", pass, false, domain, "shop.co.uk",
       "198.51.100.0/24"},
      {"SPF names anybody", "198.51.100.7", "mx.isp.example", pass, true, name,
       "isp.example", "198.51.100.0/24"},
      {"SPF names anybody, without a name", "198.51.100.7", "", pass, true, network,
       "198.51.100.0/24", "198.51.100.0/24"},
      {"SPF fails", "198.51.100.7", "mx.isp.example", fail, true, network,
       "198.51.100.0/24", "198.51.100.0/24"},
      {"no SPF", "198.51.100.7", "a.b.mx.isp.example", none, false, name, "isp.example",
       "198.51.100.0/24"},
      {"SPF cannot be checked", "198.51.100.7", "", temperror, false, network,
       "198.51.100.0/24", "198.51.100.0/24"},
      {"a generic name", "198.51.100.7", "198-51-100-7.isp.example", none, false, network,
       "198.51.100.0/24", "198.51.100.0/24"},
      {"no name", "2001:db8:0:1::7", "", none, false, network, "2001:db8:0:1::/64",
       "2001:db8:0:1::/64"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      spf::Verdict spf;
      spf.result = c.spf;
      spf.domain = "news.shop.co.uk";
      spf.is_open = c.is_open;
      const Identities got =
          identities_of({IpAddress::parse(c.address), c.client_name}, c.sender, spf, {});
      CHECK(got.best == Identity{c.kind, c.text});
      CHECK(got.network == Identity{network, c.network});
      CHECK(got.is_verified() == (c.kind != network));
      CHECK(got.provider == c.provider);
      CHECK(got.host == (std::string_view(c.address).find(':') == std::string_view::npos
                             ? c.address
                             : got.network.text));
    }
  }
}

TEST_CASE("the prefixes of the gateway are used", "[greylist]") {
  GatewayPolicy::Greylist settings;
  settings.ipv4_prefix = 32;
  settings.ipv6_prefix = 48;
  const auto network = [&](const char* client) {
    return identities_of({IpAddress::parse(client), ""}, "", {}, settings).network.text;
  };
  CHECK(network("198.51.100.7") == "198.51.100.7/32");
  CHECK(network("2001:db8:1:2::1") == "2001:db8:1::/48");
}

}  // namespace
}  // namespace mxfeed::greylist
