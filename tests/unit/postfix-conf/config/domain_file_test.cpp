// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/domain_file.h"

#include <string>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("every value of JSON is written as the TOML that it was", "[config]") {
  const struct {
    const char* json;
    const char* toml;
  } cases[] = {
      {R"("text")", R"("text")"},
      {R"("\"\\ \n\u007f")", R"("\"\\ \u000A\u007F")"},
      {"\"\u00e9\"", "\"\xc3\xa9\""},
      {"-7", "-7"},
      {"1.0", "1.0"},
      {"1e300", "1e+300"},
      {"true", "true"},
      {"[]", "[]"},
      {R"([1, "a", [false]])", R"([1, "a", [false]])"},
      {"{}", "{}"},
      {R"({"b c": 1, "a": {"x": 2}})", R"({ a = { x = 2 }, "b c" = 1 })"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.json);
    const auto file = DomainFile().with(
        R"({"domain": {"key": )" + std::string(c.json) + "}}", "a.example");
    REQUIRE(file);
    CHECK(file->str().find(std::string("\nkey = ") + c.toml + "\n") != std::string::npos);
    CHECK(DomainFile::parse(file->str()) == *file);
  }
}

TEST_CASE("only a file as it was written is taken for one", "[config]") {
  const auto file = DomainFile().with(R"({"domain": {"state": "active"}})", "a.example");
  REQUIRE(file);
  const std::string text = file->str();
  CHECK(DomainFile::parse(text));
  CHECK_FALSE(DomainFile::parse(""));
  CHECK_FALSE(DomainFile::parse(text + "# comment\n"));
  CHECK_FALSE(DomainFile::parse(text.substr(1)));
  CHECK_FALSE(DomainFile::parse(text + "x = \n"));
}

TEST_CASE("a domain is set and removed, others stay", "[config]") {
  const auto one = DomainFile().with(R"({"domain": {"state": "active"}})", "a.example");
  REQUIRE(one);
  const auto two = one->with(R"({"domain": {}})", "b.example");
  REQUIRE(two);
  CHECK(two->has("a.example"));
  CHECK_FALSE(two->without("c.example"));
  const auto removed = two->without("a.example");
  REQUIRE(removed);
  CHECK(removed->without("a.example") == removed);
  const auto back = removed->with(R"({"domain": {"state": "active"}})", "a.example");
  REQUIRE(back);
  CHECK(*back == *two);
}

}  // namespace
}  // namespace mxfeed
