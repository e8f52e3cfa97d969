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
  std::string long_text(100'000, '\xE4');
  CHECK(to_utf8(long_text, "iso-8859-15").size() == 200'000);
  CHECK(is_utf8(to_utf8(long_text, "iso-2022-jp")));
}

}  // namespace
}  // namespace mxfeed
