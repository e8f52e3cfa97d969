// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/szdd.h"

#include <string>

#include "tests/support/catch.h"
#include "tests/unit/virus/scan/formats/made.h"

namespace mxfeed::virus {
namespace {

const std::string kHead("SZDD\x88\xf0\x27\x33\x41\0", 10);

// Three bytes, then a match of the longest kind (18 bytes) with the first of them.
const std::string kData(
    "\x07"
    "abc"
    "\xf0\xff",
    6);

std::string member_of(const std::string& content) {
  UnpackRoom room = room_of();
  Findings findings(room);
  examine_szdd(content, findings);
  return findings.members().empty() ? "" : findings.members().front();
}

TEST_CASE("a file of compress.exe has the size that its header names", "[virus]") {
  const std::string all = "abcabcabcabcabcabcabc";
  CHECK(member_of(kHead + le(21, 4) + kData) == all);
  CHECK(member_of(kHead + le(21, 4) + kData + "rest") == all);
  CHECK(member_of(kHead + le(5, 4) + kData) == all.substr(0, 5));
}

TEST_CASE("a file of compress.exe may be damaged", "[virus]") {
  const struct {
    const char* name;
    std::string content;
    const char* found;
  } cases[] = {
      {"nothing", "", ""},
      {"another file", "SZDD and more of it", ""},
      {"no size", kHead, ""},
      {"no data", kHead + le(21, 4), ""},
      {"cut off within a match", kHead + le(21, 4) + kData.substr(0, 5), "others"},
      {"a size beyond the data", kHead + le(1U << 31, 4) + kData, "others"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    CHECK(found_in(c.content, examine_szdd) == c.found);
  }
}

}  // namespace
}  // namespace mxfeed::virus
