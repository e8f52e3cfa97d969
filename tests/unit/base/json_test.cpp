// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/json.h"

#include <cmath>
#include <limits>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct ValueCase {
  const char* name;
  Json value;
  const char* text;
};

const ValueCase kValues[] = {
    {"nothing", Json(), "null"},
    {"null", nullptr, "null"},
    {"true is no number", true, "true"},
    {"false", false, "false"},
    {"a negative number", -7, "-7"},
    {"the largest number", std::numeric_limits<std::uint64_t>::max(),
     "18446744073709551615"},
    {"a fraction", 0.25, "0.25"},
    {"not a number", std::nan(""), "null"},
    {"infinite", std::numeric_limits<double>::infinity(), "null"},
    {"a literal is text, not a flag", "yes", R"("yes")"},
    {"empty text", "", R"("")"},
    {"quotes and backslashes", R"(a"b\c)", R"("a\"b\\c")"},
    {"controls", "a\n\x1b[1m\x7f", R"("a\u000a\u001b[1m\u007f")"},
    {"NUL", std::string("a\0b", 3), R"("a\u0000b")"},
    {"letters beyond ASCII stay", "b\xC3\xBC\xE2\x98\x83\xF0\x9F\x98\x80",
     "\"b\xC3\xBC\xE2\x98\x83\xF0\x9F\x98\x80\""},
    {"C1 controls", "\xC2\x9B", R"("\u009b")"},
    {"beyond the first plane", "\xF3\xA0\x81\x81", R"("\udb40\udc41")"},
    {"line separators and overrides", "\xE2\x80\xA8\xE2\x80\xAE", R"("\u2028\u202e")"},
    {"bytes that are not UTF-8", "a\xFF\xC3", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"a surrogate is not UTF-8", "\xED\xA0\x80",
     "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"an absent value", std::optional<int>(), "null"},
    {"a present value", std::optional<int>(3), "3"},
    {"an empty list", Json::list(), "[]"},
    {"an empty object", Json::object(), "{}"},
};

TEST_CASE("each type of JSON is written as that type", "[json]") {
  for (const auto& c : kValues) {
    DYNAMIC_SECTION(c.name) {
      CHECK(c.value.str() == c.text);
    }
  }
}

TEST_CASE("members and items keep their order", "[json]") {
  Json row = Json::object();
  row.set("z", 1).set("a\"", Json::list().add("x").add(false).add(Json::object()));
  CHECK(row.str() == R"({"z": 1, "a\"": ["x", false, {}]})");
}

}  // namespace
}  // namespace mxfeed
