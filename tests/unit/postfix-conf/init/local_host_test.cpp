// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/init/local_host.h"

#include <string>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("addresses that do not last are found", "[init]") {
  struct Row {
    const char* name;
    const char* flags;
    bool is_short_lived;
  };
  const Row rows[] = {
      {"permanent", "80", false},       {"configured by routers", "00", false},
      {"temporary", "01", true},        {"deprecated", "a0", true},
      {"a duplicate", "88", true},      {"not yet verified", "c0", true},
      {"stable privacy", "800", false},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const std::string text =
        "00000000000000000000000000000001 01 80 10 80       lo\n"
        "20010db8000000000000000000000002 02 40 00 " +
        std::string(row.flags) + "     eth0\n";
    const auto found = short_lived(text);
    CHECK(found.size() == (row.is_short_lived ? 1u : 0u));
    if (row.is_short_lived) CHECK(found.at(0) == IpAddress::parse("2001:db8::2"));
  }
}

TEST_CASE("lines that are no addresses are skipped", "[init]") {
  CHECK(short_lived("").empty());
  CHECK(short_lived("\n\n").empty());
  CHECK(short_lived("20010db8 02 40 00 01 eth0\n").empty());
  CHECK(short_lived("20010db800000000000000000000000x 02 40 00 01 eth0\n").empty());
  CHECK(short_lived("20010db8000000000000000000000002 02 40 00\n").empty());
}

}  // namespace
}  // namespace mxfeed
