// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/evidence/look.h"

#include <string>

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

TEST_CASE("a name is seen in what looks like it", "[spam]") {
  struct {
    const char* name;
    const char* shown;
    const char* wanted;
    bool is_seen;
  } const rows[] = {
      {"itself", "Anna Beck", "Anna Beck", true},
      {"another case", "ANNA beck", "Anna Beck", true},
      {"the other way round", "Beck, Anna", "Anna Beck", true},
      {"with a title", "Dr. Anna Beck (CEO)", "Anna Beck", true},
      {"without blanks between", "Anna.Beck", "Anna Beck", true},
      {"Cyrillic letters",
       "\xD0\x90nn\xD0\xB0 B\xD0\xB5\xD1\x81"
       "k",
       "Anna Beck", true},
      {"Greek capitals",
       "\xCE\x91NNA \xCE\x92"
       "ECK",
       "Anna Beck", true},
      {"digits", "Ann0 Beck", "Anno Beck", true},
      {"a capital I for an l", "PauI Hill", "Paul Hill", true},
      {"full-width letters", "\xEF\xBC\xA1nna Beck", "Anna Beck", true},
      {"mathematical letters", "\xF0\x9D\x90\x80nna Beck", "Anna Beck", true},
      {"zero-width characters", "An\xE2\x80\x8Bna Beck", "Anna Beck", true},
      {"an accent more", "\xC3\x81nna Beck", "Anna Beck", true},
      {"an accent less", "Rene Beck", "Ren\xC3\xA9 Beck", true},
      {"another first name", "Hanna Beck", "Anna Beck", false},
      {"the last name alone", "Beck", "Anna Beck", false},
      {"nothing shown", "", "Anna Beck", false},
      {"a name of one word", "Postbank", "Postbank", true},
      {"a name of one word among others", "Postbank Team", "Postbank", false},
      {"a name without letters", "...", "...", false},
      {"broken UTF-8",
       "Anna \xFF"
       "Beck",
       "Anna Beck", true},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(shows_name(row.shown, row.wanted) == row.is_seen);
  }
  CHECK_FALSE(shows_name(std::string(1 << 20, 'a'), "Anna Beck"));
}

}  // namespace
}  // namespace mxfeed::spam
