// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/client.h"

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

TEST_CASE("what a client tells of itself", "[spam]") {
  struct {
    const char* name;
    const char* address;  // nullptr: not from the network
    const char* host;
    const char* helo;
    std::vector<std::string_view> slugs;
  } const rows[] = {
      {"a server", "198.51.100.7", "mail.sender.example", "mail.sender.example", {}},
      {"no name", "198.51.100.7", "", "mail.sender.example", {"client-without-name"}},
      {"its address in its name",
       "198.51.100.7",
       "p198-51-100-7.isp.example",
       "mail.sender.example",
       {"client-dynamic"}},
      {"backwards",
       "198.51.100.7",
       "7.100.51.198.isp.example",
       "a.example",
       {"client-dynamic"}},
      {"a part of the address", "198.51.100.7", "mail7.sender.example", "a.example", {}},
      {"a server with a static address",
       "198.51.100.7",
       "static-198-51-100-7.isp.example",
       "a.example",
       {}},
      {"a line of a provider",
       "198.51.100.7",
       "x.Dynamic.isp.example",
       "a.example",
       {"client-dynamic"}},
      {"IPv6", "2001:db8::7", "mail.sender.example", "a.example", {}},
      {"an address as HELO",
       "198.51.100.7",
       "a.example",
       "198.51.100.7",
       {"helo-address"}},
      {"an address in brackets", "198.51.100.7", "a.example", "[198.51.100.7]", {}},
      {"our name", "198.51.100.7", "a.example", "MX1.isp.example", {"helo-ours"}},
      {"our address", "198.51.100.7", "a.example", "[192.0.2.25]", {"helo-ours"}},
      {"one word", "198.51.100.7", "a.example", "localhost", {"helo-no-domain"}},
      {"no HELO", "198.51.100.7", "a.example", "", {}},
      {"all of it",
       "198.51.100.7",
       "",
       "192.0.2.25",
       {"client-without-name", "helo-ours"}},
      {"not from the network", nullptr, "", "", {}},
  };
  GatewayPolicy gateway;
  gateway.host_name = "mx1.isp.example";
  gateway.host_addresses = {*Network::parse("192.0.2.25")};
  for (const auto& row : rows) {
    INFO(row.name);
    Envelope envelope;
    if (row.address != nullptr) envelope.client.address = IpAddress::parse(row.address);
    envelope.client.name = row.host;
    envelope.helo = row.helo;
    std::vector<std::string_view> slugs;
    for (const Evidence& one : client_evidence(envelope, gateway))
      slugs.push_back(one.slug);
    CHECK(slugs == row.slugs);
  }
}

}  // namespace
}  // namespace mxfeed::spam
