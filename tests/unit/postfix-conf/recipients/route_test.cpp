// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/route.h"

#include "common/base/fault.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::recipients {
namespace {

TEST_CASE("the servers of a route are read in order", "[recipients_route]") {
  struct Case {
    const char* name;
    const char* value;
    std::vector<NextHop> hops;
  };
  const Case cases[] = {
      {"one", "mxfeed-relay:[192.0.2.7]:25", {{"192.0.2.7", 25}}},
      {"in protect mode", "mxfeed-soft:[192.0.2.7]:2525", {{"192.0.2.7", 2525}}},
      {"two, one by name",
       "mxfeed-relay:[2001:db8::7]:25, [mail.acme.example]:2525",
       {{"2001:db8::7", 25}, {"mail.acme.example", 2525}}},
      {"without a port", "mxfeed-relay:[192.0.2.7]", {{"192.0.2.7", 25}}},
      {"paused", "lmtp:unix:mxfeed/delivery-paused-by-the-operator", {}},
      {"removed", "retry:4.3.5 domain is no longer relayed here", {}},
      {"refused", "error:5.7.1 domain is not relayed here", {}},
      {"another transport", "smtp:[192.0.2.7]:25", {}},
      {"none", "", {}},
      {"no brackets: an MX look-up would lead to us", "mxfeed-relay:acme.example", {}},
      {"empty brackets", "mxfeed-relay:[]:25", {}},
      {"port 0", "mxfeed-relay:[192.0.2.7]:0", {}},
      {"a port too large", "mxfeed-relay:[192.0.2.7]:65536", {}},
      {"no port after the colon", "mxfeed-relay:[192.0.2.7]:", {}},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK((parse_route(c.value) == c.hops));
    }
  }
}

TEST_CASE("a route is that of the domain, or of a parent for names below it",
          "[recipients_route]") {
  const TempDirectory directory;
  const auto file = directory.path() / "transport.cdb";
  {
    ConstDbWriter writer(file);
    writer.add("acme.example", "mxfeed-relay:[192.0.2.7]:25");
    writer.add(".acme.example", "mxfeed-relay:[192.0.2.8]:25");
    writer.add("other.example", "mxfeed-relay:[192.0.2.9]:25");
    writer.commit();
  }
  const Routes routes(file);
  CHECK(routes.find("acme.example") == "mxfeed-relay:[192.0.2.7]:25");
  CHECK(routes.find("sub.acme.example") == "mxfeed-relay:[192.0.2.8]:25");
  CHECK(routes.find("a.b.acme.example") == "mxfeed-relay:[192.0.2.8]:25");
  CHECK(routes.find("sub.other.example").empty());
  CHECK(routes.find("xacme.example").empty());
  CHECK(routes.find("").empty());
  CHECK_THROWS_AS(Routes(directory.path() / "missing.cdb"), Fault);
}

}  // namespace
}  // namespace mxfeed::recipients
