// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/charset.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("text is converted to valid UTF-8 whatever the charset says", "[mail]") {
  CHECK(to_utf8("\x80", "windows-1252") == "\xE2\x82\xAC");
  CHECK(to_utf8("\x80", "") == "\xE2\x82\xAC");
  CHECK(to_utf8("\xC3\xA4", "us-ascii") == "\xC3\xA4");
  CHECK(to_utf8("\xC3", "UTF-8") == "\xEF\xBF\xBD");
  CHECK(to_utf8(std::string_view("a\0b\0", 4), "utf-16le") == "ab");
  CHECK(to_utf8("+AGE-", "utf-7") == "a");
  CHECK(to_utf8("\xC1\x5C", "ibm037") == "A*");
  // In any order of bytes, with and without a mark, whatever the charset says of it.
  const std::string_view texts[][2] = {
      {{"a\0b\0", 4}, "utf-16"},
      {{"\0a\0b", 4}, "UTF-16"},
      {{"\xFF\xFE"
        "a\0b\0",
        6},
       "utf-16"},
      {{"\xFE\xFF\0a\0b", 6}, "utf-16"},
      {{"\xFF\xFE"
        "a\0b\0",
        6},
       "utf-16be"},
      {{"\xFF\xFE"
        "a\0b\0",
        6},
       "us-ascii"},
      {{"\xFF\xFE"
        "a\0b\0",
        6},
       "utf-8"},
      {{"a\0b\0", 4}, "iso-10646-ucs-2"},
      {{"\0\0\0a\0\0\0b", 8}, "utf-32"},
      {{"a\0\0\0b\0\0\0", 8}, "utf-32"},
      {{"a\0\0\0b\0\0\0", 8}, "utf-32le"},
      {{"\xFF\xFE\0\0a\0\0\0b\0\0\0", 12}, "utf-32"},
  };
  for (const auto& [bytes, charset] : texts) {
    CAPTURE(bytes, charset);
    CHECK(to_utf8(bytes, charset) == "ab");
  }
  std::string long_text(100'000, '\xE4');
  CHECK(to_utf8(long_text, "iso-8859-15").size() == 200'000);
  CHECK(is_utf8(to_utf8(long_text, "iso-2022-jp")));
}

}  // namespace
}  // namespace mxfeed
