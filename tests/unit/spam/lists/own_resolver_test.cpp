// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/lists/own_resolver.h"

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

TEST_CASE("public resolvers are known by their addresses", "[spam]") {
  const struct {
    const char* claim;
    const char* resolv_conf;
    const char* found;  // empty: none
  } cases[] = {
      {"nothing", "", ""},
      {"on this host", "nameserver 127.0.0.1\n", ""},
      {"the provider's", "search isp.example\nnameserver 203.0.113.53\n", ""},
      {"one of Google", "nameserver 8.8.8.8\n", "8.8.8.8"},
      {"the second one", "nameserver 127.0.0.1\nnameserver\t9.9.9.10 \n", "9.9.9.10"},
      {"IPv6", "nameserver 2606:4700:4700::1111\n", "2606:4700:4700::1111"},
      {"a comment", "# nameserver 8.8.8.8\n;nameserver 8.8.8.8\n", ""},
      {"an address with a zone", "nameserver fe80::1%eth0\n", ""},
      {"no address", "nameserver dns.google\n", ""},
      {"a neighbour", "nameserver 8.8.8.9\n", ""},
  };
  for (const auto& c : cases) {
    INFO(c.claim);
    const auto found = public_resolver(c.resolv_conf);
    CHECK((found ? found->str() : "") == c.found);
  }
}

TEST_CASE("only a public resolver is an obstacle", "[spam]") {
  CHECK(why_not_asked("nameserver 127.0.0.1\n").empty());
  CHECK(why_not_asked("nameserver 8.8.8.8\n") ==
        "8.8.8.8 in /etc/resolv.conf is a public resolver");
}

}  // namespace
}  // namespace mxfeed::spam
