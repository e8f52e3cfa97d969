// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/removals.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("a list of recipients that loses more than half loses many", "[postfix-conf]") {
  using List = std::vector<std::string>;
  struct Row {
    const char* name;
    List previous, next;
    std::size_t removed;
    bool are_many;
  };
  const std::vector<Row> rows = {
      {"the same", {"a", "b"}, {"a", "b"}, 0, false},
      {"the first list", {}, {"a", "b"}, 0, false},
      {"longer", {"b"}, {"a", "b", "c"}, 0, false},
      {"half", {"a", "b", "c", "d"}, {"b", "d"}, 2, false},
      {"more than half", {"a", "b", "c", "d", "e"}, {"b", "d"}, 3, true},
      {"nothing left", {"a"}, {}, 1, true},
      {"as many others", {"a", "b"}, {"c", "d"}, 2, true},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const auto found = find_recipient_removals(row.next, row.previous);
    CHECK(found.removed == row.removed);
    CHECK(found.of == row.previous.size());
    CHECK(found.are_many() == row.are_many);
  }
}

}  // namespace
}  // namespace mxfeed
