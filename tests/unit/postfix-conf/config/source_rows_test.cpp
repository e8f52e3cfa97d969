// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/source_rows.h"

#include <set>
#include <string>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

std::string row(const std::string& name, const std::string& more = "") {
  return R"({"domain": {"name": ")" + name + "\"" + more + "}}";
}

TEST_CASE("the output of a source is whole or no output", "[config]") {
  const struct {
    const char* name;
    std::string output;
    const char* rows;
    const char* cause;
  } cases[] = {
      {"no row", "{\"end\": 0}", "", ""},
      {"rows", "a\nb\n{\"end\": 2}\n", "a\nb\n", ""},
      {"empty lines", "a\n\r\n\nb\n\n{\"end\": 2}\n\n", "a\n\r\n\nb\n\n", ""},
      {"nothing", "", "", "its output does not end with a line {\"end\": N}"},
      {"no end", "a\nb\n", "", "its output does not end with a line {\"end\": N}"},
      {"half of the end", "a\n{\"end\": 1", "",
       "its output does not end with a line {\"end\": N}"},
      {"too few", "a\n{\"end\": 2}", "", "its output has 1 rows, and its end says 2"},
      {"too many", "a\nb\n{\"end\": 1}", "", "its output has 2 rows, and its end says 1"},
      {"less than none", "{\"end\": -1}", "",
       "its output has 0 rows, and its end says -1"},
      {"no number", "{\"end\": \"0\"}", "",
       "its output does not end with a line {\"end\": N}"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    const auto rows = rows_of_output(c.output);
    if (*c.cause == '\0') {
      REQUIRE(rows);
      CHECK(*rows == c.rows);
    } else {
      REQUIRE_FALSE(rows);
      CHECK(rows.cause().starts_with(c.cause));
    }
  }
}

TEST_CASE("faulty rows give way to earlier ones of their domains", "[config]") {
  const std::string a = row("a.example"), b = row("b.example"), c = row("c.example");
  const std::string bad = row("b.example", R"(, "x": 1)");
  const std::string both =
      R"({"domain": [{"name": "B.Example"}, {"name": "d.example"}]})";
  const struct {
    const char* name;
    std::string rows;
    std::set<std::uint32_t> faulty;
    std::string kept;
    std::string mended;
  } cases[] = {
      {"no earlier row", a + "\n" + bad + "\n" + c, {2}, "", a + "\n\n" + c + "\n"},
      {"an earlier row", a + "\n" + bad, {2}, b + "\n" + c, a + "\n\n" + b + "\n"},
      {"an earlier row with two domains", bad, {1}, both, "\n" + both + "\n"},
      {"its other domain has a row by now",
       row("d.example") + "\n" + bad,
       {2},
       both,
       row("d.example") + "\n\n"},
      {"a second row", a + "\n" + a, {2}, a, a + "\n\n"},
      {"a row that tells no domain",
       a + "\n{",
       {2},
       a + "\n" + b + "\n" + c,
       a + "\n\n" + b + "\n" + c + "\n"},
      {"empty lines before",
       "\n\n" + bad + "\n" + a,
       {3},
       b,
       "\n\n\n" + a + "\n" + b + "\n"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    CHECK(mend_rows(one.rows, one.faulty, one.kept) == one.mended);
  }
}

TEST_CASE("rows are read as files of domains.d are", "[config]") {
  const std::string rows =
      R"({"customer": {"id": "x", "contacts": ["p@x.example"]}, "domain": )"
      R"([{"name": "a.example", "max_size": null}, {"name": "b.example"}]})"
      "\n"
      R"({"customer": {"id": "x"}, "domain": {"name": "c.example", "tls": "encrypt"}})";
  const auto read = read_rows(rows, Defaults(), 3);
  CHECK(read.errors.empty());
  REQUIRE(read.customers.size() == 1);
  REQUIRE(read.domains.size() == 1);
  const auto& domains = read.domains[0];
  REQUIRE(domains.size() == 3);
  CHECK(domains[0].place == Place{3, 1});
  CHECK(domains[2].place == Place{3, 2});
  CHECK(domains[2].customer == 0);
  CHECK(domains[2].settings->tls == "encrypt");
  // Equal settings are stored once.
  CHECK(domains[0].settings == domains[1].settings);
}

TEST_CASE("a fault in a row has its line", "[config]") {
  const struct {
    std::string row;
    const char* cause;
  } cases[] = {
      {"{", "not JSON"},
      {"[]", "not an object"},
      {"1", "not an object"},
      {"{} {}", "not JSON"},
      {row("a.example", R"(, "x": [null])"), "null in a list"},
      {row("a.example", R"(, "max_size": 18446744073709551615)"),
       "a number is too large"},
      {row("a.example", ", \"x\": " + std::string(40, '[') + std::string(40, ']')),
       "too deep"},
      {row("a.example", R"(, "colour": 1)"), "unknown key"},
      {R"({"domain": {}})", "missing"},
      {R"({"domain": 1})", "must be written as"},
      {R"({"domains": []})", "unknown key"},
      {row("localhost"), "must have at least two labels"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.row);
    const auto read = read_rows("\n" + c.row, Defaults(), 1);
    REQUIRE_FALSE(read.errors.empty());
    CHECK(read.errors[0].place == Place{1, 2});
    CHECK(read.errors[0].cause.starts_with(c.cause));
  }
}

}  // namespace
}  // namespace mxfeed
