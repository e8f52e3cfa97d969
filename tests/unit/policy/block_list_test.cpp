// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/block_list.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("an answer counts if the mask has it", "[policy]") {
  struct {
    const char* mask;
    const char* answer;
    bool counts;
  } const rows[] = {
      {"127.0.0.2", "127.0.0.2", true},
      {"127.0.0.2", "127.0.0.3", false},
      {"127.0.0.[2..11]", "127.0.0.11", true},
      {"127.0.0.[2..11]", "127.0.0.12", false},
      {"127.0.0.[2;4..6]", "127.0.0.3", false},
      {"127.0.0.[2;4..6]", "127.0.0.5", true},
      {"127.0.[0..1].[0..255]", "127.0.1.255", true},
      {"127.0.[0..1].[0..255]", "127.0.2.0", false},
      // Over quota, or a resolver that is not allowed to ask.
      {"127.0.0.[2..11]", "127.255.255.254", false},
      {"127.0.0.[0..255]", "192.0.2.7", false},
      {"127.0.0.[0..255]", "::127.0.0.2", false},
  };
  for (const auto& row : rows) {
    INFO(row.mask << " and " << row.answer);
    const auto list = BlockList::parse(std::string("zen.example=") + row.mask);
    REQUIRE(list);
    CHECK(list->zone() == "zen.example");
    CHECK(list->counts(*IpAddress::parse(row.answer)) == row.counts);
  }
}

TEST_CASE("what is no list with a mask is refused", "[policy]") {
  for (const char* const text : {"",
                                 "=",
                                 "zen.example",
                                 "zen.example=",
                                 "=127.0.0.2",
                                 "z=127.0.0",
                                 "z=127.0.0.2.",
                                 "z=127.0.0.2.3",
                                 "z=127.0.0.256",
                                 "z=127.0.0.2..11",
                                 "z=127.0.0.[2..11",
                                 "z=127.0.0.[]",
                                 "z=127.0.0.[11..2]",
                                 "z=127.0.0.[2;]",
                                 "z=127.0.0.x",
                                 "z=10.0.0.2",
                                 "z=[0..255].0.0.2",
                                 "z=127..0.2",
                                 "z=127.0.0.2;3",
                                 "z=127.0.0.[2]3"}) {
    CAPTURE(text);
    CHECK_FALSE(BlockList::parse(text));
  }
}

}  // namespace
}  // namespace mxfeed
