// SPDX-License-Identifier: GPL-2.0-or-later
//
// The records of a ZIP archive, each read alone (APPNOTE.TXT 6.3.10).  Says what they
// state, not what is true.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace mxfeed::virus::zip {

constexpr std::string_view kLocalMark{"PK\3\4", 4};
constexpr std::string_view kCentralMark{"PK\1\2", 4};
constexpr std::string_view kEndMark{"PK\5\6", 4};
constexpr std::string_view kDescriptorMark{"PK\7\10", 4};

// Bits of the flags.
constexpr std::uint16_t kEncrypted = 1 << 0;
constexpr std::uint16_t kSizesFollow = 1 << 3;  // in a data descriptor
constexpr std::uint16_t kStrong = 1 << 6;
constexpr std::uint16_t kMasked = 1 << 13;  // the central directory is encrypted

constexpr std::uint16_t kStored = 0, kDeflated = 8, kDeflate64 = 9, kImploded = 6,
                        kBzip2 = 12;

// What local headers and the central directory have in common.
struct Header {
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint64_t packed = 0;  // the size in the archive
  std::uint64_t unpacked = 0;
  bool is_zip64 = false;  // a size or the offset stands in an extra field
  std::string_view name;
  std::string_view unicode_name;  // in an extra field; empty if there is none
};

struct Local : Header {
  std::size_t at = 0;
  std::size_t data = 0;  // where the content begins
};

struct Central : Header {
  std::uint64_t local = 0;  // where the local header is to be
};

struct EndRecord {
  std::size_t at = 0;
  bool spans_disks = false;
  std::uint64_t entries = 0;
  std::uint64_t size = 0;  // of the central directory
  std::uint64_t directory = 0;
  std::size_t end = 0;    // behind the comment
  bool is_zip64 = false;  // another record has, or may have, other values
};

// Whether a local header must begin with its mark: some programs take the directory's
// word.
enum class Mark : std::uint8_t { needed, any };
// Nothing if there is no such record at that place.
std::optional<Local> local_at(std::string_view archive, std::uint64_t at,
                              Mark mark = Mark::needed);
std::optional<EndRecord> end_at(std::string_view archive, std::size_t at);
// The record of zip64 that the locator before the end record names, or that stands
// directly before the locator.
std::optional<EndRecord> zip64_end_before(std::string_view archive, const EndRecord& end);

// The entries from that place to the first that is not one; at most `most`.
struct Directory {
  std::vector<Central> entries;
  std::size_t end = 0;
};
Directory directory_at(std::string_view archive, std::uint64_t at, std::size_t most);

// Whether the content may be opened as an archive: it begins as one, or it has an end
// record where programs look for it.
bool is_archive(std::string_view content);

}  // namespace mxfeed::virus::zip
