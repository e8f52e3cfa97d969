// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/toml_array.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct EditCase {
  const char* name;
  std::string before, after;
  std::uint32_t line = 1;
};

TEST_CASE("an item is added behind the last one", "[config]") {
  const EditCase rows[] = {
      {"an empty array", "allow = []\n", "allow = [\"x\"]\n"},
      {"one line", "allow = [\"a\"]\n", "allow = [\"a\", \"x\"]\n"},
      {"a final comma", "allow = [ 'a', ]\n", "allow = [ 'a', \"x\" ]\n"},
      {"an inline table", "greylist = { when = \"always\", allow = [\"a\"] } # c\n",
       "greylist = { when = \"always\", allow = [\"a\", \"x\"] } # c\n"},
      {"a key in a string first", "n = { t = \"allow = [\", allow = [] }\n",
       "n = { t = \"allow = [\", allow = [\"x\"] }\n"},
      {"a longer key first", "n = { disallow = [\"a\"], allow = [\"b\"] }\n",
       "n = { disallow = [\"a\"], allow = [\"b\", \"x\"] }\n"},
      {"an item a line", "a = 1\nallow = [\n  \"a\", # of a\n  \"b\"  # of b\n]\nb = 1\n",
       "a = 1\nallow = [\n  \"a\", # of a\n  \"b\",  # of b\n  \"x\",\n]\nb = 1\n", 2},
      {"an item a line, final comma", "allow = [\r\n\t\"a\",\r\n]\r\n",
       "allow = [\r\n\t\"a\",\r\n\t\"x\",\r\n]\r\n"},
      {"the bracket behind the last item", "allow = [\"a\",\n  \"b\"]\n",
       "allow = [\"a\",\n  \"b\", \"x\"]\n"},
      {"a comment in an empty array", "allow = [ # none\n]\n",
       "allow = [\"x\" # none\n]\n"},
      {"a bracket and a comma in a comment", "allow = [\n  \"a\" # ], or\n]\n",
       "allow = [\n  \"a\", # ], or\n  \"x\",\n]\n"},
      {"without a line end", "allow = [\"a\"]", "allow = [\"a\", \"x\"]"},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto array = find_array(row.before, row.line, "allow");
      REQUIRE(array);
      CHECK(add_item(row.before, *array, "\"x\"") == row.after);
    }
  }
}

TEST_CASE("an item is removed with its comma, and with its line", "[config]") {
  const EditCase rows[] = {
      {"the only one", "allow = [\"x\"]\n", "allow = []\n"},
      {"the first", "allow = [\"x\", \"b\"]\n", "allow = [\"b\"]\n"},
      {"between", "allow = [\"a\", \"x\", \"b\"]\n", "allow = [\"a\", \"b\"]\n"},
      {"the last", "allow = [\"a\", \"x\"]\n", "allow = [\"a\"]\n"},
      {"the last, final comma", "allow = [\"a\", \"x\", ]\n", "allow = [\"a\", ]\n"},
      {"on its line", "allow = [\n  \"a\",\n  \"x\", # of x\n  \"b\",\n]\n",
       "allow = [\n  \"a\",\n  \"b\",\n]\n"},
      {"the last on its line", "allow = [\n  \"a\", # of a\n  \"x\" # of x\n]\n",
       "allow = [\n  \"a\", # of a\n]\n"},
      {"before the bracket", "allow = [\n  \"a\", # of a\n  \"x\"]\n",
       "allow = [\n  \"a\", # of a\n  ]\n"},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto array = find_array(row.before, row.line, "allow");
      REQUIRE(array);
      for (std::size_t i = 0; i < array->items.size(); ++i) {
        if (content_of(array->items[i], row.before) != "x") continue;
        CHECK(remove_item(row.before, *array, i) == row.after);
        return;
      }
      FAIL("no item x");
    }
  }
}

TEST_CASE("what is no array of strings is not found", "[config]") {
  const char* const rows[] = {
      "",
      "allow",
      "allow = ",
      "allow = \"a\"",
      "deny = []",
      "allow = [",
      "allow = [\"a]",
      "allow = [\"a\" ",
      "allow = [1]",
      "# allow = []",
      "allow = [\"\"\"a\"\"\"]",
      "allow = [[\"a\"]]",
      "x = \"\"\"allow = []",
  };
  for (const char* const text : rows) {
    CAPTURE(text);
    CHECK_FALSE(find_array(text, 1, "allow"));
  }
  CHECK_FALSE(find_array("allow = []\n", 2, "allow"));
}

}  // namespace
}  // namespace mxfeed
