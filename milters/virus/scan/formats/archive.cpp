// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "milters/virus/scan/formats/streams.h"

namespace mxfeed::virus {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kMaxEntries = 65536;
constexpr std::string_view kCompress = "\x1f\x9d";  // compress(1)

bool has_at(std::string_view content, std::size_t at, std::string_view mark) {
  return content.size() >= at && content.substr(at).starts_with(mark);
}

// "-lh5-" and its kin, behind the size and the checksum of the header.
bool is_lha(std::string_view content) {
  return has_at(content, 2, "-lh") && has_at(content, 6, "-");
}

// An ISO image in which a file is compressed (zisofs).
bool is_packed_iso(std::string_view content) {
  constexpr std::size_t kFirstDescriptor = 32768;
  return has_at(content, kFirstDescriptor + 1, "CD001") &&
         content.find("\x37\xe4\x53\x96\xc9\xdb\xd6\x07"sv) != std::string_view::npos;
}

bool is_compressed(std::string_view content) {
  return content.starts_with(kCompress) || past_skippable(content).starts_with(kLz4) ||
         content.starts_with("\x02\x21\x4c\x18");  // lz4, its older format
}

// cpio(1)'s oldest form, in either order of bytes.  libclamav opens it, but not every
// file in it as it does one of its own.  The mark is short: a name must follow the
// header.
bool is_old_cpio(std::string_view content) {
  constexpr std::size_t kHeader = 26, kNameSize = 20, kMostName = 4096;
  const bool is_little = content.starts_with("\xc7\x71");
  if (!is_little && !content.starts_with("\x71\xc7")) return false;
  if (content.size() <= kHeader) return false;
  const auto low = static_cast<unsigned char>(content[kNameSize + (is_little ? 0 : 1)]);
  const auto high = static_cast<unsigned char>(content[kNameSize + (is_little ? 1 : 0)]);
  const std::size_t size = high * 256U + low;
  return size > 1 && size <= kMostName && has_at(content, kHeader + size - 1, "\0"sv);
}

bool is_archive(std::string_view content) {
  return is_old_cpio(content) || content.starts_with("!<arch>\n") ||
         content.starts_with("WARC/") ||
         content.starts_with("\xed\xab\xee\xdb") ||  // RPM
         is_lha(content) || is_packed_iso(content);
}

struct Mark {
  std::size_t at;
  std::string_view bytes;
  const char* name;
};

const Mark kImages[] = {
    {0, "MSWIM\0\0\0"sv, "WIM"},
    {0, "hsqs"sv, "SquashFS"},
    {0, "sqsh"sv, "SquashFS"},
    {0, "\x45\x3d\xcd\x28"sv, "CramFS"},
    {0x438, "\x53\xef"sv, "Ext"},
    {3, "NTFS    "sv, "NTFS"},
    {3, "EXFAT   "sv, "exFAT"},
    {54, "FAT12   "sv, "FAT"},
    {54, "FAT16   "sv, "FAT"},
    {82, "FAT32   "sv, "FAT"},
    {0, "conectix"sv, "VHD"},
    {0, "vhdxfile"sv, "VHDX"},
    {0, "KDMV"sv, "VMDK"},
    {0, "QFI\xfb"sv, "QCOW"},
    {64, "\x7f\x10\xda\xbe"sv, "VDI"},
};

// The mark of two bytes alone is too weak: what ext2 to ext4 always have besides.
bool is_ext(std::string_view content) {
  constexpr std::size_t kSuperBlock = 0x400, kRevision = kSuperBlock + 76;
  return has_at(content, kRevision, "\1\0\0\0"sv) ||
         has_at(content, kRevision, "\0\0\0\0"sv);
}

const char* image_in(std::string_view content) {
  for (const Mark& mark : kImages) {
    if (!has_at(content, mark.at, mark.bytes)) continue;
    const bool is_boot_sector = mark.at == 54 || mark.at == 82 || mark.at == 3;
    if (is_boot_sector && !has_at(content, 510, "\x55\xaa")) continue;
    if (mark.at == 0x438 && !is_ext(content)) continue;
    return mark.name;
  }
  return nullptr;
}

struct Close {
  void operator()(::archive* reader) const { ::archive_read_free(reader); }
};
using Reader = std::unique_ptr<::archive, Close>;

Reader reader_for(std::string_view content) {
  Reader reader(::archive_read_new());
  if (reader == nullptr) return reader;
  if (is_compressed(content)) {
    ::archive_read_support_filter_compress(reader.get());
    ::archive_read_support_filter_lz4(reader.get());
    ::archive_read_support_format_raw(reader.get());
  } else {
    ::archive_read_support_filter_rpm(reader.get());
    ::archive_read_support_filter_gzip(reader.get());
    ::archive_read_support_filter_bzip2(reader.get());
    ::archive_read_support_filter_lzma(reader.get());
    ::archive_read_support_filter_xz(reader.get());
    ::archive_read_support_filter_zstd(reader.get());
    ::archive_read_support_format_ar(reader.get());
    ::archive_read_support_format_warc(reader.get());
    ::archive_read_support_format_lha(reader.get());
    ::archive_read_support_format_iso9660(reader.get());
    ::archive_read_support_format_cpio(reader.get());
  }
  return reader;
}

// What libarchive cannot read, another program may.  The marks of compress(1) and of old
// cpio are too short for that: bytes that only begin like them are no archive.
void note_error(std::string_view content, Findings& findings) {
  if (!content.starts_with(kCompress) && !is_old_cpio(content))
    findings.note_unscannable("Archive");
}

// The data of an entry, as far as there is room, and whether it is all.
struct Data {
  std::string bytes;
  bool is_whole = true;
};

Data data_of(::archive* reader, Findings& findings) {
  constexpr std::size_t kBlock = 65536;
  Data data;
  std::string& bytes = data.bytes;
  for (;;) {
    const std::size_t have = bytes.size();
    if (have > findings.left()) {
      findings.note_unscannable("MaxScanSize");
      return data;
    }
    if (findings.is_late()) return data;
    bytes.resize(have + kBlock);
    const auto read = ::archive_read_data(reader, bytes.data() + have, kBlock);
    bytes.resize(have + (read > 0 ? static_cast<std::size_t>(read) : 0));
    if (read > 0 || read == ARCHIVE_RETRY) continue;
    data.is_whole = read == 0;
    return data;
  }
}

}  // namespace

void examine_archive(std::string_view content, Findings& findings) {
  if (const char* const image = image_in(content)) findings.note_unscannable(image);
  if (!is_archive(content) && !is_compressed(content)) return;
  // libarchive takes no frames to skip before the first one.
  if (past_skippable(content).starts_with(kLz4)) content = past_skippable(content);
  const Reader reader = reader_for(content);
  if (reader == nullptr) return findings.note_unscannable("Archive");
  if (::archive_read_open_memory(reader.get(), content.data(), content.size()) !=
      ARCHIVE_OK) {
    return note_error(content, findings);
  }
  for (std::size_t entries = 0; !findings.is_late(); ++entries) {
    ::archive_entry* entry = nullptr;
    const int status = ::archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) return;
    if (status == ARCHIVE_FATAL) return note_error(content, findings);
    if (entries == kMaxEntries) return findings.note_unscannable("MaxFiles");
    if (status == ARCHIVE_RETRY) continue;
    // Null for a name that is not in the charset of this process; libclamav has it then.
    if (const char* const name = ::archive_entry_pathname(entry)) {
      findings.note_name(name);
    }
    if (::archive_entry_is_encrypted(entry) != 0) {
      findings.note_encrypted("Encrypted.Archive");
      continue;
    }
    Data data = data_of(reader.get(), findings);
    if (!data.is_whole) note_error(content, findings);
    // Behind a record of WARC, libarchive also gives the empty lines.
    if (::archive_entry_size_is_set(entry) != 0) {
      const auto size = static_cast<std::uint64_t>(::archive_entry_size(entry));
      if (size < data.bytes.size()) data.bytes.resize(size);
    }
    findings.add_member(std::move(data.bytes));
  }
}

}  // namespace mxfeed::virus
