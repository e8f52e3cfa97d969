// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/archive.h"

#include <string>

#include "tests/support/catch.h"
#include "tests/unit/virus/scan/formats/made.h"

namespace mxfeed::virus {
namespace {

TEST_CASE("what libarchive opens is taken out", "[virus]") {
  const struct {
    const char* name;
    const char* script;
    const char* found;
  } cases[] = {
      {"ar", "ar q out payload", "member"},
      {"ar of BSD", "bsdtar -c --format=arbsd -f out payload", "member"},
      {"WARC", "bsdtar -c --format=warc -f out payload", "member"},
      {"lz4", "lz4 -q payload out", "member"},
      {"the older format of lz4", "lz4 -q -l payload out", "member"},
      {"two streams of lz4",
       "head -c 500 payload >a; tail -c +501 payload >b; lz4 -qc a >out; "
       "lz4 -qc b >>out",
       "member"},
      {"a packed archive", "bsdtar -c --format=ustar -f - payload | lz4 -q >out",
       "others"},
      {"compress", "bsdtar -cZ --format=arbsd -f out payload", "others"},
      {"an ISO image with packed files",
       "cat payload payload >p; bsdtar -c --format=iso9660 --options zisofs -f out p",
       "others"},
      {"what libclamav opens", "bsdtar -c --format=iso9660 -f out payload", ""},
      {"a WIM image", "printf 'MSWIM\\0\\0\\0' >out; cat payload >>out",
       "unscannable WIM"},
      {"a FAT image",
       "head -c 1474560 /dev/zero >out; printf 'FAT12   ' | dd of=out bs=1 seek=54 "
       "conv=notrunc; printf '\\125\\252' | dd of=out bs=1 seek=510 conv=notrunc",
       "unscannable FAT"},
      {"text", "cp payload out", ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    CHECK(found_in(made(c.script), examine_archive) == c.found);
  }
}

TEST_CASE("what grows beyond the room is unscannable", "[virus]") {
  const std::string bomb = made("head -c 3000000 /dev/zero | lz4 -q >out");
  CHECK(found_in(bomb, examine_archive, room_of(1 << 20)) == "unscannable MaxScanSize");
  const std::string many = made("for i in $(seq 30); do echo >f$i; done; ar q out f*");
  CHECK(found_in(many, examine_archive, room_of(1 << 20, 9)) ==
        "unscannable MaxFiles, others");
}

}  // namespace
}  // namespace mxfeed::virus
