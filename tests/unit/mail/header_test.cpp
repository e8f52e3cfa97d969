// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/header.h"

#include <catch2/catch.hpp>

namespace mxfeed {
namespace {

TEST_CASE("encoded words are decoded as mail programs decode them", "[header]") {
  struct {
    const char* name;
    const char* in;
    const char* out;
  } const rows[] = {
      {"plain", " Hello ", "Hello"},
      {"folded", "Hello\n world", "Hello world"},
      {"q", "=?iso-8859-1?q?caf=E9_au_lait?=", "caf\xC3\xA9 au lait"},
      {"b", "=?UTF-8?B?w6Q=?=", "\xC3\xA4"},
      {"white space between words goes", "=?utf-8?q?a?= \n =?utf-8?q?b?= c", "ab c"},
      {"a character cut between two words",
       "=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "\xC3\xA4"},
      {"inside a word", "x=?utf-8?q?a?=y", "xay"},
      {"language (RFC 2231)", "=?utf-8*en?q?a?=", "a"},
      {"unknown charset", "=?x-none?q?a=E4?=", "a\xC3\xA4"},
      {"broken base64", "=?utf-8?b?SGVsbG?=", "Hell"},
      {"no encoding", "=?utf-8?x?a?=", "=?utf-8?x?a?="},
      {"not closed", "=?utf-8?q?a", "=?utf-8?q?a"},
      {"no charset", "=??q?a?=", "=??q?a?="},
      {"invalid UTF-8", "=?utf-8?q?=FF?=", "\xEF\xBF\xBD"},
      {"raw latin-1", "caf\xE9", "caf\xC3\xA9"},
      {"raw UTF-8", "caf\xC3\xA9", "caf\xC3\xA9"},
      {"encoded line breaks", "=?utf-8?q?a=0D=0AX:_b?=", "a  X: b"},
      {"iso-2022-jp", "=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "\xE6\x97\xA5\xE6\x9C\xAC"},
      {"koi8-r",
       "=?koi8-r?b?8NLJ18XU?=", "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82"},
      {"gb2312", "=?gb2312?b?xOO6ww==?=", "\xE4\xBD\xA0\xE5\xA5\xBD"},
      {"cut multibyte", "=?euc-jp?b?xg==?=", "\xEF\xBF\xBD"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(decode_words(row.in) == row.out);
  }
}

TEST_CASE("dates of mail are parsed", "[header]") {
  struct {
    const char* name;
    const char* in;
    long long seconds;  // since 1970; -1: none
  } const rows[] = {
      {"RFC 5322", "Mon, 23 Nov 2026 10:11:12 +0100", 1795425072},
      {"without weekday and seconds", "23 Nov 2026 10:11 +0100", 1795425060},
      {"comments and folds", "Mon,\n 23 (x) Nov 2026 10:11:12 +0100 (CET)", 1795425072},
      {"a zone name", "Mon, 23 Nov 2026 04:11:12 EST", 1795425072},
      {"a military zone counts as UTC", "Mon, 23 Nov 2026 09:11:12 A", 1795425072},
      {"no zone", "Mon, 23 Nov 2026 09:11:12", 1795425072},
      {"two digits of year", "Fri, 23 Nov 01 09:11:12 GMT", 1006506672},
      {"three digits of year", "23 Nov 101 09:11:12 GMT", 1006506672},
      {"dashes", "23-Nov-2026 10:11:12 +0100", 1795425072},
      {"asctime", "Mon Nov 23 09:11:12 2026", 1795425072},
      {"asctime with a zone", "Mon Nov 23 09:11:12 GMT 2026", 1795425072},
      {"leap second", "23 Nov 2026 10:11:60 +0100", 1795425120},
      {"wrong weekday", "Sun, 23 Nov 2026 10:11:12 +0100", 1795425072},
      {"empty", "", -1},
      {"no such day", "31 Nov 2026 10:11:12 +0100", -1},
      {"no such hour", "23 Nov 2026 24:11:12 +0100", -1},
      {"no such zone", "23 Nov 2026 10:11:12 +0160", -1},
      {"no month", "23 2026 10:11:12", -1},
      {"no time", "23 Nov 2026", -1},
      {"a huge year", "23 Nov 99999 10:11:12", -1},
      {"ISO 8601 is none", "2026-11-23T10:11:12Z", -1},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const auto date = parse_date(row.in);
    CHECK((date ? date->time_since_epoch().count() : -1) == row.seconds);
  }
}

TEST_CASE("mailboxes are parsed leniently", "[header]") {
  struct {
    const char* name;
    const char* in;
    const char* out;  // display|address;
  } const rows[] = {
      {"address only", "a@b.example", "|a@b.example;"},
      {"angle brackets", "A B <a@b>", "A B|a@b;"},
      {"quoted, with a comma", "\"B, A\" <a@b>, c@d", "B, A|a@b;|c@d;"},
      {"encoded", "=?utf-8?q?=C3=A4?= <a@b>", "\xC3\xA4|a@b;"},
      {"encoded in quotes", "\"=?utf-8?q?x@y?=\" <a@b>", "x@y|a@b;"},
      {"a comment", "a@b (A \\) B)", "|a@b;"},
      {"a group", "friends: a@b, C <c@d>;", "|a@b;C|c@d;"},
      {"an empty group", "undisclosed-recipients:;", ""},
      {"unclosed", "\"A <a@b", "|A<a@b;"},
      {"two addresses", "<a@b> <c@d>", "|a@bc@d;"},
      {"nothing", " , ,", ""},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    std::string out;
    for (const Mailbox& mailbox : parse_mailboxes(row.in)) {
      out += mailbox.display + "|" + mailbox.address + ";";
    }
    CHECK(out == row.out);
  }
  CHECK(parse_mailboxes("a@b,c@d,e@f", 2).size() == 2);
}

TEST_CASE("a tag before the subject is recognised however it is written", "[header]") {
  struct {
    const char* name;
    const char* subject;
    bool has;
  } const rows[] = {
      {"ours", "[SPAM: low] hello", true},
      {"without the space after it", "[SPAM: low]hello", true},
      {"case", "[spam: LOW] hello", true},
      {"encoded", "=?utf-8?q?=5BSPAM:_low=5D_hello?=", true},
      {"folded", "[SPAM:\n low] hello", true},
      {"another level", "[SPAM: med] hello", false},
      {"not first", "Re: [SPAM: low] hello", false},
      {"none", "hello", false},
      {"empty", "", false},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(subject_has_tag(row.subject, "[SPAM: low] ") == row.has);
  }
}

TEST_CASE("field names are printable ASCII without colon", "[header]") {
  CHECK(is_field_name("X-Mxfeed-Spam"));
  CHECK(is_field_name("!"));
  for (const char* name : {"", "a b", "a:", "a\x7f", "\xC3\xA4", "a\tb"}) {
    CAPTURE(name);
    CHECK_FALSE(is_field_name(name));
  }
}

TEST_CASE("text is converted to valid UTF-8 whatever the charset says", "[header]") {
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
