// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/archive.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

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
      {"lz4 behind frames to skip",
       "printf '\\120\\052\\115\\030\\4\\0\\0\\0skip\\137\\052\\115\\030\\0\\0\\0\\0' "
       ">out; "
       "lz4 -qc payload >>out",
       "member"},
      {"cpio's oldest form", "echo payload | cpio -o --quiet -H bin >out", "member"},
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
      {"an archive that is cut off", "ar q a payload; head -c 300 a >out",
       "unscannable Archive"},
      {"an archive with an entry that is cut off",
       "head -c 100 payload >b; ar q a b payload; head -c 400 a >out",
       "unscannable Archive, others"},
      {"bytes that only begin like compress", "printf '\\037\\235\\377abc' >out",
       "others"},
      {"text", "cp payload out", ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    CHECK(found_in(made(c.script), examine_archive) == c.found);
  }
}

std::string with(std::string bytes, std::size_t at, std::string_view mark) {
  return bytes.replace(at, mark.size(), mark);
}

// A file of one entry that is stored as it is: header level 0.
std::string lha() {
  std::uint16_t crc = 0;  // CRC-16/ARC
  for (const char c : payload()) {
    crc = static_cast<std::uint16_t>(crc ^ static_cast<std::uint8_t>(c));
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<std::uint16_t>(crc >> 1 ^ ((crc & 1) != 0 ? 0xa001 : 0));
    }
  }
  const std::string size = le(payload().size(), 4);
  const std::string fields = "-lh0-" + size + size + le(0x5a210000, 4) + le(0x20, 1) +
                             le(0, 1) + le(1, 1) + "x" + le(crc, 2);
  unsigned sum = 0;
  for (const char c : fields) sum += static_cast<std::uint8_t>(c);
  return le(fields.size(), 1) + le(sum & 0xff, 1) + fields + payload() + le(0, 1);
}

// A lead, two empty headers, and an archive.
std::string rpm(const std::string& archive) {
  const std::string header = with(std::string(16, '\0'), 0, "\x8e\xad\xe8\x01");
  const std::string lead = with(std::string(96, '\0'), 0, "\xed\xab\xee\xdb\x03");
  return lead + header + header + archive;
}

TEST_CASE("LHA and RPM are opened", "[virus]") {
  CHECK(found_in(lha(), examine_archive) == "member");
  const std::string cut = lha().substr(0, 300);
  CHECK(found_in(cut, examine_archive).starts_with("unscannable Archive"));
  const std::string cpio = made("bsdtar -c --format=newc -f - payload | gzip >out");
  CHECK(found_in(rpm(cpio), examine_archive) == "member");
}

TEST_CASE("images of disks and file systems are unscannable", "[virus]") {
  using std::string_view_literals::operator""sv;
  const std::string zeros(4096, '\0');
  const std::string boot = with(zeros, 510, "\x55\xaa");
  const struct {
    std::string content;
    const char* found;
  } cases[] = {
      {with(zeros, 0, "MSWIM\0\0\0"sv), "unscannable WIM"},
      {with(zeros, 0, "hsqs"), "unscannable SquashFS"},
      {with(zeros, 0, "sqsh"), "unscannable SquashFS"},
      {with(zeros, 0, "\x45\x3d\xcd\x28"), "unscannable CramFS"},
      {with(zeros, 0x438, "\x53\xef"), "unscannable Ext"},
      {with(boot, 3, "NTFS    "), "unscannable NTFS"},
      {with(boot, 3, "EXFAT   "), "unscannable exFAT"},
      {with(boot, 54, "FAT12   "), "unscannable FAT"},
      {with(boot, 54, "FAT16   "), "unscannable FAT"},
      {with(boot, 82, "FAT32   "), "unscannable FAT"},
      {with(zeros, 0, "conectix"), "unscannable VHD"},
      {with(zeros, 0, "vhdxfile"), "unscannable VHDX"},
      {with(zeros, 0, "KDMV"), "unscannable VMDK"},
      {with(zeros, 0, "QFI\xfb"), "unscannable QCOW"},
      {with(zeros, 64, "\x7f\x10\xda\xbe"), "unscannable VDI"},
      {with(zeros, 54, "FAT12   "), ""},  // no boot sector
      {with(std::string(4096, 'x'), 0x438, "\x53\xef"), ""},
      {boot, ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.found);
    CHECK(found_in(c.content, examine_archive) == c.found);
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
