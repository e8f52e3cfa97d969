// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/wire_text.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

using namespace mxfeed;
using namespace std::string_literals;

TEST_CASE("reply text: printable ASCII, no format") {
  struct Row {
    std::string name, text, safe;
  };
  const std::vector<Row> rows = {
      {"plain", "Try again later", "Try again later"},
      {"percent", "50% off %s", "50%% off %%s"},
      {"line break", "a\r\nb", "a??b"},
      {"NUL and DEL", "a\0\x7F"s, "a??"},
      {"UTF-8", "\xC3\xA4", "??"},
      {"the limit", std::string(400, 'x'), std::string(400, 'x')},
      {"one past it", std::string(401, 'x'), std::string(400, 'x')},
      {"libmilter's 980 bytes suffice", std::string(500, '%'), std::string(800, '%')},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(reply_text(row.text) == row.safe);
  }
}

TEST_CASE("field value: it never begins another field") {
  struct Row {
    std::string name, value, safe;
  };
  const std::vector<Row> rows = {
      {"plain", "clean", "clean"},
      {"empty", "", ""},
      {"folded", "a\n\tb\n c", "a\n\tb\n c"},
      {"not folded", "a\nX-Evil: 1", "a\n\tX-Evil: 1"},
      {"CR LF", "a\r\nb", "a\n\tb"},
      {"CR between LF and the next", "a\n\rX-Evil: 1", "a\n\tX-Evil: 1"},
      {"NUL between LF and the next", "a\n\0X-Evil: 1"s, "a\n\tX-Evil: 1"},
      {"CR before a blank", "a\n\r b", "a\n b"},
      {"two line breaks", "a\n\nb", "a\n\t\n\tb"},
      {"line break at the end", "a\n", "a\n\t"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(field_value(row.value, false) == row.safe);
    CHECK(field_value(row.value, true) == " " + row.safe);
  }
}
