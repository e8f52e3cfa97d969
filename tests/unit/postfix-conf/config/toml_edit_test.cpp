// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/toml_edit.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct EditCase {
  const char* name;
  const char* text;
  std::uint32_t line;
  const char* wanted;  // null: refused
};

const EditCase kReplaced[] = {
    {"a string", "a = 1\nkey = \"old\"\nb = 2\n", 2, "a = 1\nkey = new\nb = 2\n"},
    {"without blanks", "key=\"old\"", 1, "key=new"},
    {"indented, with a comment", "\t key  =  'old'  # why\n", 1,
     "\t key  =  new  # why\n"},
    {"a bare value", "key = 2026-11-02T10:00:00Z # why\r\n", 1, "key = new # why\r\n"},
    {"CRLF", "key = \"old\"\r\nb = 1\r\n", 1, "key = new\r\nb = 1\r\n"},
    {"a longer key", "keys = \"old\"\n", 1, nullptr},
    {"another key", "other = \"old\"\n", 1, nullptr},
    {"an array", "key = [1,\n2]\n", 1, nullptr},
    {"an inline table", "key = { a = 1 }\n", 1, nullptr},
    {"a multi-line string", "key = \"\"\"\nold\"\"\"\n", 1, nullptr},
    {"an escape", "key = \"a\\\"b\"\n", 1, nullptr},
    {"not closed", "key = \"old\n", 1, nullptr},
    {"more behind it", "key = \"old\" x\n", 1, nullptr},
    {"no value", "key =\n", 1, nullptr},
    {"a comment", "# key = \"old\"\n", 1, nullptr},
    {"after the end", "key = \"old\"\n", 2, nullptr},
    {"line 0", "key = \"old\"\n", 0, nullptr},
    {"an empty file", "", 1, nullptr},
};

TEST_CASE("a value is replaced, and nothing else", "[postfix-conf]") {
  for (const auto& c : kReplaced) {
    DYNAMIC_SECTION(c.name) {
      const auto got = replace_value(c.text, c.line, "key", "new");
      REQUIRE(got.has_value() == (c.wanted != nullptr));
      if (got) CHECK(*got == c.wanted);
    }
  }
}

const EditCase kInserted[] = {
    {"after a line", "[[domain]]\nname = \"a\"\nb = 2\n", 2,
     "[[domain]]\nname = \"a\"\nkey = new\nb = 2\n"},
    {"indented", "  name = \"a\" # x\n", 1, "  name = \"a\" # x\n  key = new\n"},
    {"CRLF", "name = \"a\"\r\nb = 1\r\n", 1, "name = \"a\"\r\nkey = new\r\nb = 1\r\n"},
    {"the last line without its end", "name = \"a\"", 1, "name = \"a\"\nkey = new"},
    {"in an inline table", "domain = [{ name = \"a\" }]\n", 1, nullptr},
    {"a multi-line string", "name = '''a\n'''\n", 1, nullptr},
};

TEST_CASE("a line is inserted, and nothing else changes", "[postfix-conf]") {
  for (const auto& c : kInserted) {
    DYNAMIC_SECTION(c.name) {
      const auto got = insert_value(c.text, c.line, "name", "key", "new");
      REQUIRE(got.has_value() == (c.wanted != nullptr));
      if (got) CHECK(*got == c.wanted);
    }
  }
}

}  // namespace
}  // namespace mxfeed
