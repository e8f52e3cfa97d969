// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/seven_zip.h"

#include <algorithm>
#include <optional>
#include <string>

#include "milters/virus/scan/formats/bytes.h"
#include "milters/virus/scan/formats/seven_zip_reader.h"

namespace mxfeed::virus {
namespace {

using seven_zip::ArchiveHeader;
using seven_zip::Folder;

constexpr std::string_view kMark = "7z\xbc\xaf\x27\x1c";
constexpr std::size_t kSignatureSize = 32;
constexpr std::size_t kMaxArchives = 16;
constexpr std::uint64_t kMaxHeader = 64ull << 20;
constexpr int kMaxEncodings = 4;
constexpr std::string_view kCopy = "00", kLzma = "030101", kLzma2 = "21",
                           kPpmd = "030401", kX86 = "03030103", kArm = "03030501",
                           kBcj2 = "0303011b", kAes = "06f10701";

struct Place {
  std::uint64_t offset = 0;  // behind the signature header
  std::uint64_t size = 0;
};

// Nothing if the sum is wrong: other bytes may happen to have the mark.
std::optional<Place> place_of_header(std::string_view archive) {
  if (archive.size() < kSignatureSize) return std::nullopt;
  ByteReader reader(archive);
  reader.skip(8);
  const std::uint32_t sum = reader.le32();
  if (crc32_of(archive.substr(12, 20)) != sum) return std::nullopt;
  Place place;
  place.offset = reader.le64();
  place.size = reader.le64();
  return place;
}

// What libclamav's reader takes (7zDec.c of the LZMA SDK 9.20, CheckSupportedFolder).
std::optional<std::string> unread_coder(const Folder& folder) {
  using Bind = std::pair<std::uint64_t, std::uint64_t>;
  const auto& coders = folder.coders;
  const auto is_main = [&](std::size_t i) {
    const std::string& id = coders[i].id;
    return coders[i].inputs == 1 && coders[i].outputs == 1 &&
           (id == kCopy || id == kLzma || id == kLzma2 || id == kPpmd);
  };
  if (!is_main(0)) return coders[0].id;
  if (coders.size() == 1) return std::nullopt;
  if (coders.size() == 2) {
    const bool is_filter = coders[1].id == kX86 || coders[1].id == kArm;
    const bool is_chain = folder.binds == std::vector<Bind>{{1, 0}} &&
                          folder.packed_inputs == std::vector<std::uint64_t>{0};
    return is_filter && is_chain ? std::nullopt : std::optional(coders[1].id);
  }
  if (coders.size() == 4 && is_main(1) && is_main(2) && coders[3].id == kBcj2 &&
      folder.binds == std::vector<Bind>{{5, 0}, {4, 1}, {3, 2}} &&
      folder.packed_inputs == std::vector<std::uint64_t>{2, 6, 1, 0}) {
    return std::nullopt;
  }
  return coders.back().id;
}

bool uses(const ArchiveHeader& header, std::string_view id) {
  for (const Folder& folder : header.streams.folders) {
    for (const auto& coder : folder.coders) {
      if (coder.id == id) return true;
    }
  }
  return false;
}

// The header that the streams of an encoded one hold; nothing if it cannot be read.
std::optional<std::string> decode_header(std::string_view archive,
                                         const ArchiveHeader& header,
                                         Findings& findings) {
  const auto& streams = header.streams;
  if (streams.folders.size() != 1 || streams.sizes.size() != 1) return std::nullopt;
  const Folder& folder = streams.folders[0];
  if (folder.coders.size() != 1 || folder.sizes.size() != 1) return std::nullopt;
  ByteReader reader(archive);
  reader.skip(kSignatureSize);
  reader.skip(streams.position);
  const std::string_view packed = reader.take(streams.sizes[0]);
  if (!reader.ok() || folder.sizes[0] > kMaxHeader) return std::nullopt;
  if (folder.coders[0].id == kCopy) return std::string(packed);
  if (folder.coders[0].id != kLzma) return std::nullopt;
  Decompressed result =
      findings.unpack_raw_lzma(folder.coders[0].properties, packed, folder.sizes[0]);
  if (result.end != Decompressed::End::complete) return std::nullopt;
  return std::move(result.bytes);
}

void examine_archive(std::string_view archive, const Place& place, Findings& findings) {
  if (place.size == 0 && place.offset == 0) {
    // Empty, or the program was interrupted; 7-Zip then searches for the header.
    if (archive.size() > kSignatureSize) findings.note_unscannable("7z.Header");
    return;
  }
  ByteReader reader(archive);
  reader.skip(kSignatureSize);
  reader.skip(place.offset);
  std::string bytes(reader.take(place.size));
  // Cut off, or one volume of several.
  if (!reader.ok()) return findings.note_unscannable("7z.Header");
  ArchiveHeader header = seven_zip::read_header(bytes);
  for (int i = 0; header.is_valid && header.is_encoded; ++i) {
    if (uses(header, kAes)) return findings.note_encrypted("Encrypted.7Zip");
    auto inner =
        i < kMaxEncodings ? decode_header(archive, header, findings) : std::nullopt;
    if (!inner) return findings.note_unscannable("7z.Header");
    bytes = std::move(*inner);
    header = seven_zip::read_header(bytes);
  }
  if (!header.is_valid) return findings.note_unscannable("7z.Header");
  if (uses(header, kAes)) findings.note_encrypted("Encrypted.7Zip");
  for (const Folder& folder : header.streams.folders) {
    const bool is_encrypted = std::any_of(folder.coders.begin(), folder.coders.end(),
                                          [](const auto& c) { return c.id == kAes; });
    if (is_encrypted) continue;
    if (const auto id = unread_coder(folder)) {
      return findings.note_unscannable("7z.Coder." + *id);
    }
  }
}

}  // namespace

void examine_seven_zip(std::string_view content, Findings& findings) {
  std::size_t count = 0;
  for (std::size_t at = content.find(kMark); at != std::string_view::npos;
       at = content.find(kMark, at + 1)) {
    const std::string_view archive = content.substr(at);
    const auto place = place_of_header(archive);
    if (!place) continue;
    if (++count > kMaxArchives) return findings.note_unscannable("7z");
    examine_archive(archive, *place, findings);
    // libclamav has to find the mark at the beginning; 7-Zip searches for it.
    if (at > 0) findings.add_member(std::string(archive));
  }
}

}  // namespace mxfeed::virus
