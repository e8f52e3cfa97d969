// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/meta.h"

#include "common/base/fault.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("a generation's meta survives storage, with what is unknown",
          "[postfix-conf]") {
  GenerationMeta meta;
  meta.number = 7;
  meta.written = Time(std::chrono::seconds(1'795'644'951));
  meta.config = "458d4a69d0670ed9";
  meta.previous = 6;
  meta.copy_of = 3;
  meta.domains = 1'000'000;
  meta.removed = 2;
  meta.local = {"mx1.gateway.example", true};
  meta.site.has_relay_recipients = true;
  meta.site.parents_match = true;
  meta.site.proxies = "192.0.2.9, [2001:db8::9]";
  meta.site.mynetworks = {*Network::parse("127.0.0.0/8"),
                          *Network::parse("2001:db8::/32")};
  meta.use = {true,
              1 << 20,
              "a.example",
              std::chrono::hours(48),
              std::chrono::hours(1),
              {*Network::parse("10.9.0.0/16"), *Network::parse("fd00::/8")},
              {"smtp/inet", "2525/inet"},
              "mx2.gateway.example",
              {"[192.0.2.7]:2424", "[2001:db8::7]:2424"}};
  meta.unknown = {{"purpose", "a: b"}, {"attached", "yes"}};
  const auto again = parse_meta(render(meta), "x");
  CHECK(again.number == meta.number);
  CHECK(again.written == meta.written);
  CHECK(again.config == meta.config);
  CHECK(again.previous == meta.previous);
  CHECK(again.copy_of == meta.copy_of);
  CHECK(again.domains == meta.domains);
  CHECK(again.removed == meta.removed);
  CHECK(again.local == meta.local);
  CHECK(again.site == meta.site);
  CHECK(again.use == meta.use);
  CHECK(again.unknown == meta.unknown);
}

struct MetaCase {
  const char* name;
  const char* text;
  bool good;
};

const MetaCase kMetas[] = {
    {"only the number", "generation: 7\n", true},
    {"another order", "written: 1\ngeneration: 7\n", true},
    {"an empty value", "generation: 7\nconfig: \n", true},
    {"empty", "", false},
    {"no number", "written: 1\n", false},
    {"number 0", "generation: 0\n", false},
    {"no end", "generation: 7", false},
    {"cut", "generation: 7\nwrit", false},
    {"no name", "generation: 7\n: x\n", false},
    {"an empty line", "generation: 7\n\n", false},
    {"a field twice", "generation: 7\ngeneration: 7\n", false},
    {"no such time", "generation: 7\nwritten: -1\n", false},
    {"a time past the end of time", "generation: 7\nwritten: 18446744073709551615\n",
     false},
    {"neither yes nor no", "generation: 7\ndedicated: perhaps\n", false},
    {"no network", "generation: 7\nsite-mynetworks: 127.0.0.0/8 x\n", false},
    {"no private network", "generation: 7\nallow-private: 10.0.0.0/33\n", false},
    {"no such generation before", "generation: 7\nprevious: six\n", false},
};

TEST_CASE("missing fields of meta have defaults, damaged ones are told",
          "[postfix-conf]") {
  for (const auto& c : kMetas) {
    DYNAMIC_SECTION(c.name) {
      if (c.good) {
        CHECK(parse_meta(c.text, "x").number == 7);
      } else {
        CHECK_THROWS_AS(parse_meta(c.text, "x"), Fault);
      }
    }
  }
}

}  // namespace
}  // namespace mxfeed
