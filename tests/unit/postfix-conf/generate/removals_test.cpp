// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/removals.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/generate/generated_cases.h"

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

struct GuardCase {
  std::size_t count, of;
  bool nothing_left, are_many;
};

const GuardCase kGuards[] = {
    {0, 0, true, false},         {0, 5, false, false},        {10, 11, false, false},
    {11, 100, false, true},      {11, 1100, false, false},    {11, 1099, false, true},
    {1000, 99'999, false, true}, {999, 99'900, false, false}, {1, 1, true, true},
};

TEST_CASE("more than ten and one percent, or the last, are many removals",
          "[postfix-conf]") {
  for (const auto& c : kGuards) {
    INFO(c.count << " of " << c.of);
    const std::vector<std::string> names(c.count, "a.b");
    CHECK(Removals{names, c.of, c.nothing_left}.are_many() == c.are_many);
  }
}

TEST_CASE("a domain that its parent takes over is no removal", "[postfix-conf]") {
  const auto removals =
      find_removals({generated({hosted("a.b", kActive, kActive)}), {}},
                    generated({hosted("a.b"), hosted("gone.b"), hosted("kept.b", kKept),
                               hosted("x.a.b")}));
  CHECK(removals.names == std::vector<std::string>{"gone.b"});
  CHECK(removals.of == 3);
  CHECK_FALSE(removals.nothing_left);
}

}  // namespace
}  // namespace mxfeed
