// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/office.h"

#include <optional>
#include <string>
#include <vector>

#include "milters/virus/scan/formats/bytes.h"

namespace mxfeed::virus {
namespace {

constexpr std::string_view kMark = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
constexpr std::size_t kHeaderSize = 512;
constexpr std::size_t kEntrySize = 128;
constexpr std::uint64_t kMiniSector = 64;
constexpr std::uint64_t kMiniLimit = 4096;

struct Entry {
  std::string name;  // ASCII ones only
  std::uint8_t type = 0;
  std::uint32_t start = 0;
  std::uint64_t size = 0;
};

constexpr std::uint8_t kStream = 2, kRoot = 5;

// 2.6.1
std::optional<Entry> entry_at(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::string_view name = reader.take(64);
  const std::uint16_t length = reader.le16();
  Entry entry;
  entry.type = reader.u8();
  reader.skip(49);
  entry.start = reader.le32();
  entry.size = reader.le32();
  const bool is_used = entry.type == kStream || entry.type == kRoot;
  if (!reader.ok() || !is_used || length < 4 || length > 64 || length % 2 != 0) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i + 2 < length; i += 2) {
    if (name[i] < ' ' || name[i + 1] != 0) return std::nullopt;
    entry.name += name[i];
  }
  return entry;
}

class CompoundFile {
 public:
  explicit CompoundFile(std::string_view content) : content_(content) {
    ByteReader reader(content.substr(30));
    shift_ = reader.le16() == 12 ? 12 : 9;
    for (std::size_t at = kHeaderSize; at + kEntrySize <= content.size();
         at += kEntrySize) {
      auto entry = entry_at(content.substr(at, kEntrySize));
      if (!entry) continue;
      if (entry->type == kRoot && entry->name == "Root Entry") root_ = entry->start;
      if (entry->type == kStream) streams_.push_back(std::move(*entry));
    }
  }

  const std::vector<Entry>& streams() const { return streams_; }

  // From the beginning of a stream on; what follows may belong to others.
  std::string_view beginning(const Entry& stream) const {
    const auto sector = [&](std::uint64_t number) { return (number + 1) << shift_; };
    const std::uint64_t at = stream.size >= kMiniLimit
                                 ? sector(stream.start)
                                 : sector(root_) + stream.start * kMiniSector;
    return at < content_.size() ? content_.substr(at) : std::string_view();
  }

 private:
  const std::string_view content_;
  unsigned shift_ = 9;
  std::uint32_t root_ = 0;
  std::vector<Entry> streams_;
};

// [MS-DOC] 2.5.2: fEncrypted of the FibBase.
bool is_encrypted_document(std::string_view stream) {
  ByteReader reader(stream);
  const std::uint16_t mark = reader.le16();
  reader.skip(8);
  const std::uint16_t flags = reader.le16();
  return reader.ok() && (mark == 0xa5ec || mark == 0xa5dc) && (flags & 0x0100) != 0;
}

// [MS-XLS] 2.4.117: a record FilePass follows the one of the beginning.
bool is_encrypted_table(std::string_view stream) {
  constexpr std::uint16_t kBegin = 0x0809, kBegin2 = 0x0209, kBegin3 = 0x0409,
                          kEnd = 0x000a, kFilePass = 0x002f;
  constexpr int kMaxRecords = 16;
  ByteReader reader(stream);
  for (int i = 0; i < kMaxRecords; ++i) {
    const std::uint16_t kind = reader.le16();
    reader.skip(reader.le16());
    if (i == 0 && kind != kBegin && kind != kBegin2 && kind != kBegin3) return false;
    if (kind == kFilePass) return true;
    if (!reader.ok() || kind == kEnd) return false;
  }
  return false;
}

// [MS-PPT] 2.3.2: headerToken of the CurrentUserAtom.
bool is_encrypted_presentation(std::string_view stream) {
  ByteReader reader(stream);
  reader.skip(12);
  return reader.le32() == 0xf3d1c4df;
}

}  // namespace

void examine_office(std::string_view content, Findings& findings) {
  if (!content.starts_with(kMark) || content.size() < kHeaderSize) return;
  const CompoundFile file(content);
  for (const Entry& entry : file.streams()) {
    const std::string_view stream = file.beginning(entry);
    const bool found =
        entry.name == "EncryptedPackage" ||
        (entry.name == "WordDocument" && is_encrypted_document(stream)) ||
        ((entry.name == "Workbook" || entry.name == "Book") &&
         is_encrypted_table(stream)) ||
        (entry.name == "Current User" && is_encrypted_presentation(stream));
    if (found) return findings.note_encrypted("Encrypted.Office");
  }
}

}  // namespace mxfeed::virus
