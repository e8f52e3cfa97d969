// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/rar.h"

#include <cstddef>
#include <cstdint>

#include "milters/virus/scan/formats/bytes.h"

namespace mxfeed::virus {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kMark4 = "Rar!\x1a\x07\0"sv, kMark5 = "Rar!\x1a\x07\1\0"sv;
constexpr std::size_t kMaxBlocks = 65536;

// Seven bits a byte, the lowest first; the last byte has no high bit.
std::uint64_t number(ByteReader& reader) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63; shift += 7) {
    const std::uint8_t byte = reader.u8();
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) break;
  }
  return value;
}

// Blocks of versions 1.5 to 4 (technote.txt of RAR 4).
void read_names_4(ByteReader reader, Findings& findings) {
  constexpr std::uint8_t kMain = 0x73, kFile = 0x74;
  constexpr std::uint16_t kNamesEncrypted = 0x0080, kLarge = 0x0100, kHasData = 0x8000;
  for (std::size_t i = 0; i < kMaxBlocks && !reader.empty(); ++i) {
    ByteReader block(reader.rest());
    block.skip(2);
    const std::uint8_t type = block.u8();
    const std::uint16_t flags = block.le16();
    const std::uint16_t size = block.le16();
    if (!block.ok() || size < 7 || (type == kMain && (flags & kNamesEncrypted) != 0)) {
      return;
    }
    std::uint64_t data = 0;
    if (type == kFile) {
      data = block.le32();
      block.skip(4 + 1 + 4 + 4 + 1 + 1);
      const std::uint16_t length = block.le16();
      block.skip(4);
      if ((flags & kLarge) != 0) {
        data |= std::uint64_t{block.le32()} << 32;
        block.skip(4);
      }
      const std::string_view name = block.take(length);
      // The name in another form may follow a NUL, packed.
      if (block.ok()) findings.note_name(name.substr(0, name.find('\0')));
    } else if ((flags & kHasData) != 0) {
      data = block.le32();
    }
    reader.skip(size);
    reader.skip(data);
  }
}

// RAR 5.0 archive format, "General archive structure".
void read_names_5(ByteReader reader, Findings& findings) {
  constexpr std::uint64_t kFile = 2, kEncryption = 4;
  constexpr std::uint64_t kHasExtra = 1, kHasData = 2, kHasTime = 2, kHasSum = 4;
  for (std::size_t i = 0; i < kMaxBlocks && !reader.empty(); ++i) {
    reader.skip(4);
    const std::uint64_t size = number(reader);
    ByteReader header(reader.take(size));
    const std::uint64_t type = number(header);
    const std::uint64_t flags = number(header);
    if ((flags & kHasExtra) != 0) number(header);
    const std::uint64_t data = (flags & kHasData) != 0 ? number(header) : 0;
    if (!header.ok() || !reader.ok() || type == kEncryption) return;
    if (type == kFile) {
      const std::uint64_t file_flags = number(header);
      number(header);  // unpacked size
      number(header);  // attributes
      if ((file_flags & kHasTime) != 0) header.skip(4);
      if ((file_flags & kHasSum) != 0) header.skip(4);
      number(header);  // compression
      number(header);  // system
      const std::string_view name = header.take(number(header));
      if (header.ok()) findings.note_name(name);
    }
    reader.skip(data);
  }
}

}  // namespace

void examine_rar(std::string_view content, Findings& findings) {
  if (!findings.wants_names()) return;
  const std::size_t at = content.find("Rar!\x1a\x07");
  if (at == std::string_view::npos) return;
  ByteReader reader(content.substr(at));
  if (reader.rest().starts_with(kMark4)) {
    reader.skip(kMark4.size());
    read_names_4(reader, findings);
  } else if (reader.rest().starts_with(kMark5)) {
    reader.skip(kMark5.size());
    read_names_5(reader, findings);
  }
}

}  // namespace mxfeed::virus
