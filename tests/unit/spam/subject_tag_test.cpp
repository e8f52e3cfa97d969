// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/subject_tag.h"

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

TEST_CASE("a tag before the subject is recognised however it is written", "[spam]") {
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
  CHECK(*tagged_subject(long_subject, "[S] ") == "[S]\n " + long_subject);
}

}  // namespace
}  // namespace mxfeed::spam
