// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/seven_zip.h"

#include "tests/support/catch.h"
#include "tests/unit/virus/scan/formats/made.h"

namespace mxfeed::virus {
namespace {

struct Case {
  const char* options;  // of 7z
  const char* found;
};

const Case kCases[] = {
    {"", ""},
    {"-mhc=off", ""},
    {"-m0=copy", ""},
    {"-m0=lzma", ""},
    {"-m0=lzma2", ""},
    {"-m0=ppmd", ""},
    {"-m0=bcj -m1=lzma", ""},
    {"-m0=bcj -m1=ppmd", ""},
    {"-m0=bcj2 -m1=lzma -m2=lzma:d20 -m3=lzma:d20 -mb0:1 -mb0s1:2 -mb0s2:3", ""},
    {"-m0=arm -m1=lzma2", ""},
    {"-m0=bzip2", "unscannable 7z.Coder.040202"},
    {"-m0=deflate", "unscannable 7z.Coder.040108"},
    {"-m0=deflate64", "unscannable 7z.Coder.040109"},
    {"-m0=delta:4 -m1=lzma", "unscannable 7z.Coder.03"},
    {"-m0=ppc -m1=lzma", "unscannable 7z.Coder.03030205"},
    {"-m0=lzma -m1=lzma", "unscannable 7z.Coder.030101"},
    {"-m0=bcj -m1=bzip2", "unscannable 7z.Coder.040202"},
    {"-psecret", "encrypted Encrypted.7Zip"},
    {"-psecret -mhe=on", "encrypted Encrypted.7Zip"},
};

TEST_CASE("coders of 7z archives that libclamav does not read", "[virus]") {
  for (const Case& c : kCases) {
    CAPTURE(c.options);
    CHECK(found_in(
              made("7z a " + std::string(c.options) + " out.7z payload; mv out.7z out"),
              examine_seven_zip) == c.found);
  }
}

TEST_CASE("a 7z archive behind other bytes is given as one", "[virus]") {
  const std::string archive = made("7z a out.7z payload; mv out.7z out");
  UnpackRoom room = room_of();
  Findings findings(room);
  examine_seven_zip("MZ and so on" + archive, findings);
  REQUIRE(findings.members().size() == 1);
  CHECK(findings.members()[0] == archive);
  CHECK(findings.unscannable().empty());
}

TEST_CASE("a 7z archive that is cut off is unscannable", "[virus]") {
  const std::string archive = made("7z a out.7z payload; mv out.7z out");
  for (std::size_t size = 32; size < archive.size(); ++size) {
    CHECK(found_in(archive.substr(0, size), examine_seven_zip) ==
          "unscannable 7z.Header");
  }
  for (std::size_t size = 0; size < 32; ++size) {
    CHECK(found_in(archive.substr(0, size), examine_seven_zip).empty());
  }
}

}  // namespace
}  // namespace mxfeed::virus
