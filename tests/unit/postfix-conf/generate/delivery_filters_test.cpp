// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/delivery_filters.h"

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct FilterCase {
  const char* name;
  std::vector<const char*> allowed;
  std::string_view begins, ends;
};

// The system tests ask Postfix what the patterns match.
const FilterCase kCases[] = {
    {"nothing is allowed",
     {},
     "regexp:{{/ IN A (0|10|",
     "ff[0-9a-f][0-9a-f]:)/ IGNORE}}"},
    {"whole octets",
     {"10.20.0.0/16"},
     R"(regexp:{{if !/ IN A (10\.20\.)/} {/ IN A)",
     "IGNORE}}"},
    {"a part of an octet",
     {"10.16.0.0/14"},
     R"(regexp:{{if !/ IN A (10\.(16|17|18|19)\.)/} {)",
     "IGNORE}}"},
    {"bits of the host are not looked at",
     {"10.17.3.4/15"},
     R"(regexp:{{if !/ IN A (10\.(16|17)\.)/} {)",
     "IGNORE}}"},
    {"one address",
     {"10.20.30.4"},
     R"(regexp:{{if !/ IN A (10\.20\.30\.4$$)/} {)",
     "IGNORE}}"},
    {"the end of an address",
     {"10.20.30.4/31"},
     R"(regexp:{{if !/ IN A (10\.20\.30\.(4|5)$$)/} {)",
     "IGNORE}}"},
    {"several",
     {"10.0.0.0/8", "127.0.0.1"},
     R"(regexp:{{if !/ IN A (10\.|127\.0\.0\.1$$)/} {)",
     "IGNORE}}"},
    {"everything", {"0.0.0.0/0"}, "regexp:{{if !/ IN A ()/} {", "IGNORE}}"},
    {"with IPv6 no IPv6 address is ignored",
     {"fd00::/8"},
     "regexp:{{/ IN A (0|10|",
     R"(\./ IGNORE}})"},
};

TEST_CASE("allowed networks are taken out of the private addresses", "[postfix-conf]") {
  for (const auto& c : kCases) {
    INFO(c.name);
    std::vector<Network> allowed;
    for (const auto* const text : c.allowed) allowed.push_back(*Network::parse(text));
    const auto filter = dns_reply_filter(allowed);
    CAPTURE(filter);
    CHECK(filter.starts_with(c.begins));
    CHECK(filter.ends_with(c.ends));
  }
}

}  // namespace
}  // namespace mxfeed
