// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/subject_tag.h"

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

TEST_CASE("only the exact text counts as a tag", "[spam]") {
  struct {
    const char* name;
    const char* subject;
    const char* tag;
    bool has;
  } const rows[] = {
      {"ours", "[SPAM: low] hello", "[SPAM: low] ", true},
      {"ours, nothing behind it", "[SPAM: low]", "[SPAM: low] ", true},
      {"with blanks around it", " [SPAM: low]  hello", "[SPAM: low] ", true},
      {"folded at its blank", "[SPAM:\n low] hello", "[SPAM: low] ", true},
      {"folded behind it", "[SPAM: low]\n hello", "[SPAM: low] ", true},
      {"folded with a tab", "[SPAM:\n\tlow] hello", "[SPAM: low] ", false},
      {"without its blank", "[SPAM: low]hello", "[SPAM: low] ", false},
      {"other case", "[spam: LOW] hello", "[SPAM: low] ", false},
      {"blanks in it", "[ S P A M: low ] hello", "[SPAM: low] ", false},
      {"more blanks", "[SPAM:  low] hello", "[SPAM: low] ", false},
      {"a character that is not seen", "[SPAM:\xE2\x80\x8B low] hello", "[SPAM: low] ",
       false},
      {"letters that look like it", "[SP\xD0\x90M: low] hello", "[SPAM: low] ", false},
      {"another level", "[SPAM: med] hello", "[SPAM: low] ", false},
      {"not first", "Re: [SPAM: low] hello", "[SPAM: low] ", false},
      {"none", "hello", "[SPAM: low] ", false},
      {"empty", "", "[SPAM: low] ", false},
      {"an encoded word", "=?utf-8?q?=5BSPAM:_low=5D_hello?=", "[SPAM: low] ", true},
      {"the tag alone in a word", "=?UTF-8?B?W1NQQU06IGxvd10=?= hello", "[SPAM: low] ",
       true},
      {"in two words", "=?utf-8?q?[SPAM:_?=\n =?us-ascii?q?low]_hello?=", "[SPAM: low] ",
       true},
      {"half in a word", "[SPAM: =?utf-8?q?low]?= hello", "[SPAM: low] ", true},
      {"two words with blanks, which are not shown",
       "=?utf-8?q?[SPAM:?= =?utf-8?q?low]?= hello", "[SPAM: low] ", false},
      {"a word that runs on", "=?utf-8?q?[SPAM:_low]_?=hello", "[SPAM: low] ", false},
      {"a word inside a word", "[SPAM:=?utf-8?q?_low]?= hello", "[SPAM: low] ", false},
      {"a charset that not all know", "=?utf-7?q?[SPAM:_low]?= hello", "[SPAM: low] ",
       false},
      {"a charset that nobody knows", "=?x?q?[SPAM:_low]?= hello", "[SPAM: low] ", false},
      {"a word with blanks in it", "=?utf-8?q?[SPAM: low]?= hello", "[SPAM: low] ",
       false},
      {"base64 with rubbish", "=?UTF-8?B?W1NQ!QU06IGxvd10=?= hello", "[SPAM: low] ",
       false},
      {"base64 without padding", "=?UTF-8?B?W1NQQU06IGxvd10?= hello", "[SPAM: low] ",
       false},
      {"a word that is too long",
       "=?utf-8?q?[SPAM:_low]_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx?=",
       "[SPAM: low] ", false},
      {"a tag that is not ASCII", "=?UTF-8?B?W1fDpHJidW5nXSA=?= Hello",
       "[W\xC3\xA4rbung] ", true},
      {"a tag that is not ASCII, raw", "[W\xC3\xA4rbung] Hello", "[W\xC3\xA4rbung] ",
       true},
      {"a blank before the tag", "[S] hello", "  [S] ", true},
      {"a tag with words of a subject", "SPAMMERS meet", "SPAM ", false},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(subject_has_tag(row.subject, row.tag) == row.has);
  }
}

TEST_CASE("the tag stands before the subject as it is, once", "[spam]") {
  struct {
    const char* name;
    const char* subject;  // nullptr: none
    const char* tag;
    const char* result;  // nullptr: left alone
  } const rows[] = {
      {"plain", " Hello", "[S] ", "[S] Hello"},
      {"no leading space", "Hello", "[S] ", "[S] Hello"},
      {"missing", nullptr, "[S] ", "[S]"},
      {"empty", " ", "[S] ", "[S]"},
      {"encoded words are kept", " =?utf-8?q?=C3=A4?=", "[S] ", "[S] =?utf-8?q?=C3=A4?="},
      {"an encoded word stays apart", " =?utf-8?q?a?=", "[S]", "[S] =?utf-8?q?a?="},
      {"no space is made up", " Hello", "[S]", "[S]Hello"},
      {"folds are kept", " Hello\n world\n\tand all", "[S] ",
       "[S] Hello\n world\n\tand all"},
      {"a fold first", "\n Hello", "[S] ", "[S] Hello"},
      {"CR is dropped", " Hello\r\n world", "[S] ", "[S] Hello\n world"},
      {"tagged already", " [S] Hello", "[S] ", nullptr},
      {"tagged already, encoded", " =?utf-8?q?[S]_Hello?=", "[S] ", nullptr},
      {"tagged after a reply mark", " Re: [S] Hello", "[S] ", "[S] Re: [S] Hello"},
      {"nearly the tag", " [ S P A M: HIGH ] offer", "[SPAM: high] ",
       "[SPAM: high] [ S P A M: HIGH ] offer"},
      {"a tag with blanks at both ends", " Hello", " [S]  ", "[S]  Hello"},
      {"a tag like an encoded word", " Hello", "=?utf-8?q?x?= ", "=?utf-8?q?x?= Hello"},
      {"another level's tag", " [SPAM: low] x", "[SPAM: med] ",
       "[SPAM: med] [SPAM: low] x"},
      {"a tag that is not ASCII", " Hello", "[W\xC3\xA4rbung] ",
       "=?UTF-8?B?W1fDpHJidW5nXSA=?= Hello"},
      {"a blank tag", " Hello", " ", nullptr},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    std::optional<std::string> subject;
    if (row.subject != nullptr) subject = row.subject;
    const auto result = tagged_subject(subject, row.tag);
    REQUIRE(result.has_value() == (row.result != nullptr));
    if (result) {
      CHECK(*result == row.result);
      CHECK_FALSE(tagged_subject(*result, row.tag).has_value());
    }
  }
  const std::string long_subject(900, 'x');
  for (const std::string tag : {"[S]", "[S] ", "[S]  "}) {
    CAPTURE(tag);
    const auto tagged = tagged_subject(long_subject, tag);
    REQUIRE(tagged);
    CHECK(*tagged == (tag == "[S]  " ? "[S] \n " : "[S]\n ") + long_subject);
    CHECK_FALSE(tagged_subject(*tagged, tag));
  }
}

}  // namespace
}  // namespace mxfeed::spam
