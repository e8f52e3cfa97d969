// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/words.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("encoded words are decoded as mail programs decode them", "[mail]") {
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

}  // namespace
}  // namespace mxfeed
