// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/mail_hosts.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/net/zone.h"

namespace mxfeed::dns {
namespace {

const IpAddress kGateway = *IpAddress::parse("192.0.2.1");

bool is_gateway(const std::string&, const std::vector<IpAddress>& addresses) {
  return std::find(addresses.begin(), addresses.end(), kGateway) != addresses.end();
}

TEST_CASE("a host has the addresses of both families", "[net]") {
  Zone zone;
  zone.add_address("both.example", "192.0.2.7")
      .add_address("both.example", "2001:db8::7");
  const auto found = addresses_of("both.example", zone);
  CHECK(found.addresses.size() == 2);
  CHECK_FALSE(found.is_temporary);
}

TEST_CASE("a host without an address is told from one that is not known for now",
          "[net]") {
  Zone zone;
  zone.time_out("late.example", RecordType::aaaa);
  CHECK(addresses_of("late.example", zone).is_temporary);
  CHECK(addresses_of("late.example", zone).trouble == Trouble::timed_out);
  CHECK_FALSE(addresses_of("none.example", zone).is_temporary);
  CHECK_FALSE(addresses_of("not a name", zone).is_temporary);
  zone.add_address("late.example", "192.0.2.8");
  CHECK_FALSE(addresses_of("late.example", zone).is_temporary);
}

struct BetterCase {
  const char* name;
  std::vector<MailExchange> records;
  std::vector<std::string> hosts;
  bool names_us;
};

const BetterCase kCases[] = {
    {"none", {}, {}, false},
    {"none is ours: all, by preference",
     {{20, "b.example"}, {10, "a.example"}},
     {"a.example", "b.example"},
     false},
    {"those before ours",
     {{30, "c.example"}, {20, "mx.gateway.example"}, {10, "a.example"}},
     {"a.example"},
     true},
    {"one as good as ours is not before it",
     {{10, "a.example"}, {10, "mx.gateway.example"}},
     {},
     true},
    {"of two of ours the better one counts",
     {{10, "a.example"},
      {20, "mx.gateway.example"},
      {25, "b.example"},
      {30, "mx.gateway.example"}},
     {"a.example"},
     true},
};

TEST_CASE("Postfix delivers to the hosts before itself", "[net]") {
  Zone zone;
  zone.add_address("mx.gateway.example", "192.0.2.1");
  for (const char* host : {"a.example", "b.example", "c.example"}) {
    zone.add_address(host, "192.0.2.7");
  }
  for (const auto& c : kCases) {
    DYNAMIC_SECTION(c.name) {
      const auto better = better_hosts(c.records, is_gateway, zone);
      CHECK(better.hosts == c.hosts);
      CHECK(better.names_us == c.names_us);
    }
  }
}

}  // namespace
}  // namespace mxfeed::dns
