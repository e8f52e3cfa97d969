// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/zip_reader.h"

#include <algorithm>

#include "milters/virus/scan/formats/bytes.h"

namespace mxfeed::virus::zip {
namespace {

constexpr std::string_view kZip64Mark{"PK\6\6", 4};
constexpr std::string_view kLocatorMark{"PK\6\7", 4};
constexpr std::size_t kLocatorSize = 20;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kMaxComment = 65535;
// 4.6.9: a version and a sum stand before the name.
constexpr std::uint16_t kUnicodePath = 0x7075, kUnicodeHead = 5;
constexpr std::uint32_t kElsewhere = 0xffffffff;

bool has(std::string_view bytes, std::uint64_t at, std::string_view mark) {
  return at <= bytes.size() && bytes.substr(at).starts_with(mark);
}

// 4.5.3: values that are all ones stand in an extra field, in this order.
void read_extra(std::string_view extra, Header& header, std::uint64_t* offset) {
  ByteReader reader(extra);
  while (reader.rest().size() >= 4) {
    const std::uint16_t id = reader.le16();
    const std::uint16_t size = reader.le16();
    ByteReader field(reader.take(size));
    if (!reader.ok()) return;
    if (id == kUnicodePath && size > kUnicodeHead) {
      field.skip(kUnicodeHead);
      header.unicode_name = field.rest();
    }
    if (id != 1) continue;
    for (std::uint64_t* value : {&header.unpacked, &header.packed, offset}) {
      if (value == nullptr || *value != kElsewhere || field.rest().size() < 8) continue;
      *value = field.le64();
      header.is_zip64 = true;
    }
  }
}

}  // namespace

std::optional<Local> local_at(std::string_view archive, std::uint64_t at, Mark mark) {
  if (mark == Mark::needed ? !has(archive, at, kLocalMark) : at > archive.size()) {
    return std::nullopt;
  }
  ByteReader reader(archive.substr(at));
  Local local;
  local.at = at;
  reader.skip(6);
  local.flags = reader.le16();
  local.method = reader.le16();
  reader.skip(8);
  local.packed = reader.le32();
  local.unpacked = reader.le32();
  const std::uint16_t name = reader.le16();
  const std::uint16_t extra = reader.le16();
  local.name = reader.take(name);
  const std::string_view fields = reader.take(extra);
  if (!reader.ok()) return std::nullopt;
  local.is_zip64 = local.packed == kElsewhere || local.unpacked == kElsewhere;
  read_extra(fields, local, nullptr);
  local.data = archive.size() - reader.rest().size();
  return local;
}

Directory directory_at(std::string_view archive, std::uint64_t at, std::size_t most) {
  Directory directory;
  directory.end = std::min<std::uint64_t>(at, archive.size());
  while (directory.entries.size() < most && has(archive, directory.end, kCentralMark)) {
    ByteReader reader(archive.substr(directory.end));
    Central entry;
    reader.skip(8);
    entry.flags = reader.le16();
    entry.method = reader.le16();
    reader.skip(8);
    entry.packed = reader.le32();
    entry.unpacked = reader.le32();
    const std::uint16_t name = reader.le16();
    const std::uint16_t extra = reader.le16();
    const std::uint16_t comment = reader.le16();
    reader.skip(8);
    entry.local = reader.le32();
    entry.name = reader.take(name);
    const std::string_view fields = reader.take(extra);
    reader.skip(comment);
    if (!reader.ok()) break;
    entry.is_zip64 = entry.packed == kElsewhere || entry.unpacked == kElsewhere ||
                     entry.local == kElsewhere;
    read_extra(fields, entry, &entry.local);
    directory.entries.push_back(entry);
    directory.end = archive.size() - reader.rest().size();
  }
  return directory;
}

std::optional<EndRecord> end_at(std::string_view archive, std::size_t at) {
  if (!has(archive, at, kEndMark)) return std::nullopt;
  ByteReader reader(archive.substr(at));
  EndRecord end;
  end.at = at;
  reader.skip(4);
  const std::uint16_t disk = reader.le16();
  const std::uint16_t first_disk = reader.le16();
  const std::uint16_t here = reader.le16();
  end.entries = reader.le16();
  end.size = reader.le32();
  end.directory = reader.le32();
  const std::uint16_t comment = reader.le16();
  if (!reader.ok()) return std::nullopt;
  end.spans_disks = disk != 0 || first_disk != 0 || here != end.entries;
  end.is_zip64 = end.entries == 0xffff || end.size == kElsewhere ||
                 end.directory == kElsewhere ||
                 (at >= kLocatorSize && has(archive, at - kLocatorSize, kLocatorMark));
  end.end = at + kEndSize + comment;
  return end;
}

std::optional<EndRecord> zip64_end_before(std::string_view archive,
                                          const EndRecord& end) {
  if (end.at < kLocatorSize || !has(archive, end.at - kLocatorSize, kLocatorMark)) {
    return std::nullopt;
  }
  ByteReader locator(archive.substr(end.at - kLocatorSize));
  locator.skip(8);
  std::uint64_t at = locator.le64();
  if (!has(archive, at, kZip64Mark)) {
    at = archive.substr(0, end.at).rfind(kZip64Mark);
    if (at == std::string_view::npos) return std::nullopt;
  }
  ByteReader reader(archive.substr(at));
  EndRecord found;
  found.at = at;
  reader.skip(4 + 8 + 4 + 4 + 4 + 8);
  found.entries = reader.le64();
  found.size = reader.le64();
  found.directory = reader.le64();
  if (!reader.ok()) return std::nullopt;
  found.is_zip64 = true;
  found.end = end.end;
  return found;
}

bool is_archive(std::string_view content) {
  for (const std::string_view mark : {kLocalMark, kCentralMark, kEndMark, kZip64Mark}) {
    if (content.starts_with(mark)) return true;
  }
  // Of archives that were, or were to be, split (8.5.4).
  if (content.starts_with("PK00") || content.starts_with("PK\7\10")) return true;
  const std::size_t looked_at = std::min(content.size(), kEndSize + kMaxComment);
  return content.substr(content.size() - looked_at).find(kEndMark) !=
         std::string_view::npos;
}

}  // namespace mxfeed::virus::zip
