// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/tar.h"

#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/virus/scan/formats/made.h"

namespace mxfeed::virus {
namespace {

std::vector<std::string> members_of(const std::string& content) {
  UnpackRoom room = room_of();
  Findings findings(room);
  examine_tar(content, findings);
  return std::move(findings.members());
}

TEST_CASE("what is behind the end of a tar is taken out", "[virus]") {
  for (const char* const format : {"ustar", "gnu", "posix", "v7", "oldgnu"}) {
    CAPTURE(format);
    const std::string pack = std::string("tar --format ") + format + " -b 4 -cf out ";
    const std::string whole =
        made("echo one >one; mkdir d; ln -s one l; " + pack + "one d l");
    const std::string second = made(pack + "payload");
    CHECK(found_in(whole, examine_tar).empty());
    CHECK(members_of(whole + second) == std::vector{second});
    CHECK(found_in(whole + payload(), examine_tar) == "member");
    CHECK(found_in(whole.substr(0, 512), examine_tar).empty());
  }
}

TEST_CASE("a tar behind other data is taken out", "[virus]") {
  const std::string tar = made("tar --format ustar -cf out payload");
  CHECK(members_of("ustar and some more" + tar) == std::vector{tar});
  std::string marks;
  for (int i = 0; i < 10'000; ++i) marks += "ustar";
  CHECK(members_of(marks + tar) == std::vector{tar});
  std::string damaged = "some data" + tar;
  damaged[20] ^= 1;
  CHECK(found_in(damaged, examine_tar).empty());
  CHECK(found_in(payload() + "ustar", examine_tar).empty());
}

}  // namespace
}  // namespace mxfeed::virus
