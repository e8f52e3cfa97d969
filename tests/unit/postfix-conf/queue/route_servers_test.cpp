// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/route_servers.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/verify/zone.h"

namespace mxfeed {
namespace {

struct RouteCase {
  const char* name;
  const char* route;
  std::vector<std::string> servers;
};

constexpr const char* kZone = R"(mail.acme.example A 203.0.113.7
mail.acme.example AAAA 2001:db8::7
second.acme.example A 203.0.113.8
inside.acme.example A 10.0.0.1
allowed.acme.example A 10.9.0.1
ours.acme.example A 192.0.2.1
late.acme.example fails
acme.example MX 20 second.acme.example
acme.example MX 10 mail.acme.example
acme.example MX 30 mx1.gateway.example
acme.example MX 15 none.acme.example
mx1.gateway.example A 192.0.2.1
unknown.example MX 10 late.acme.example
far.example MX 10 mail.acme.example
first.example MX 10 mx1.gateway.example
first.example MX 20 mail.acme.example)";

// 2001:db8::/32 is for documents; is_public() knows no such networks.
const RouteCase kCases[] = {
    {"addresses",
     "[192.0.2.7]:25, [2001:db8::8]:2525",
     {"[192.0.2.7]:25", "[2001:db8::8]:2525"}},
    {"all addresses of a name",
     "[mail.acme.example]:26",
     {"[mail.acme.example]:26 203.0.113.7", "[mail.acme.example]:26 2001:db8::7"}},
    {"an address and a name",
     "[192.0.2.7]:25, [second.acme.example]:25",
     {"[192.0.2.7]:25", "[second.acme.example]:25 203.0.113.8"}},
    {"a name that is not known for now", "[192.0.2.7]:25, [late.acme.example]:25", {}},
    {"a name without an address", "[none.acme.example]:25", {}},
    {"an address and a name without one",
     "[192.0.2.7]:25, [none.acme.example]:25",
     {"[192.0.2.7]:25"}},
    {"a private address that is allowed",
     "[allowed.acme.example]:25",
     {"[allowed.acme.example]:25 10.9.0.1"}},
    {"a private address", "[inside.acme.example]:25", {}},
    {"an address of a gateway", "[ours.acme.example]:25", {}},
    {"MX hosts before ours, by preference",
     "acme.example",
     {"[mail.acme.example]:25 203.0.113.7", "[mail.acme.example]:25 2001:db8::7",
      "[second.acme.example]:25 203.0.113.8"}},
    {"MX hosts without ours",
     "far.example",
     {"[mail.acme.example]:25 203.0.113.7", "[mail.acme.example]:25 2001:db8::7"}},
    {"ours is the first", "first.example", {}},
    {"an MX host that is not known for now", "unknown.example", {}},
    {"no MX record", "none.example", {}},
    {"a port that is none", "[192.0.2.7]:0", {}},
    {"malformed", "[192.0.2.7", {}},
};

TEST_CASE("a route has these servers", "[postfix-conf]") {
  Zone zone(kZone);
  const RouteLimits limits = {{*IpAddress::parse("192.0.2.1")},
                              {*Network::parse("10.9.0.0/16")}};
  for (const auto& c : kCases) {
    INFO(c.name);
    std::vector<std::string> servers;
    for (const auto& one : route_servers(c.route, limits, zone)) {
      servers.push_back(one.name);
    }
    CHECK(servers == c.servers);
  }
}

TEST_CASE("routes of addresses have no names", "[postfix-conf]") {
  CHECK_FALSE(has_names("[192.0.2.7]:25, [2001:db8::8]:2525"));
  CHECK(has_names("[192.0.2.7]:25, [mail.acme.example]:25"));
  CHECK(has_names("acme.example"));
}

}  // namespace
}  // namespace mxfeed
