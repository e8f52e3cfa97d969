// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/client_name.h"

#include "tests/support/catch.h"

namespace mxfeed::greylist {
namespace {

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
