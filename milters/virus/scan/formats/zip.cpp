// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/zip.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "milters/virus/scan/formats/zip_reader.h"

namespace mxfeed::virus {
namespace {

using namespace zip;

constexpr std::size_t kMaxEntries = 65536;
constexpr std::size_t kMaxReadings = 10'000;
constexpr std::size_t kMaxEnds = 16;
constexpr std::size_t kMaxManifest = std::size_t{4} << 20;
constexpr std::uint64_t kToTheEnd = ~std::uint64_t{0};

bool is_encrypted(const Header& header) {
  return (header.flags & (kEncrypted | kStrong | kMasked)) != 0;
}

// A folder ends with a slash and is empty, which may be two bytes when it is deflated.
void note_name(const Header& header, Findings& findings) {
  for (std::string_view name : {header.name, header.unicode_name}) {
    if (header.packed > 2 && name.ends_with('/')) name.remove_suffix(1);
    if (!name.empty()) findings.note_name(name);
  }
}

// Those that libclamav unpacks.
bool is_known(std::uint16_t method) {
  return method == kStored || method == kDeflated || method == kDeflate64 ||
         method == kImploded || method == kBzip2;
}

// What a content takes up of an archive.
struct Extent {
  std::size_t begin, data, end;
  bool is_stored;
};

// Whether local header and directory say the same, and nothing that is read differently.
bool agree(const Central& entry, const Local& local) {
  constexpr std::uint16_t kTelling = kEncrypted | kStrong | kMasked;
  if (entry.is_zip64 || local.is_zip64 || entry.name != local.name ||
      entry.method != local.method || ((entry.flags ^ local.flags) & kTelling) != 0) {
    return false;
  }
  const bool follow = (local.flags & kSizesFollow) != 0;
  const auto same = [&](std::uint64_t listed, std::uint64_t stated) {
    return listed == stated || (follow && stated == 0);
  };
  if (!same(entry.packed, local.packed) || !same(entry.unpacked, local.unpacked)) {
    return false;
  }
  if (is_encrypted(entry)) return true;
  if (entry.method == kStored) return entry.packed == entry.unpacked;
  return entry.unpacked != 0 || entry.packed <= 2;
}

// Every mark of a local header belongs to an entry, or to what an entry stores as it is.
bool has_no_other_local(std::string_view archive, const std::vector<Extent>& sorted) {
  std::size_t next = 0;
  for (std::size_t at = archive.find(kLocalMark); at != std::string_view::npos;
       at = archive.find(kLocalMark, at + 1)) {
    while (next < sorted.size() && sorted[next].end <= at) ++next;
    if (next == sorted.size()) return false;
    const Extent& in = sorted[next];
    const bool is_inside = in.is_stored && at >= in.data;
    if (at != in.begin && !is_inside) return false;
  }
  return true;
}

// The entries, if every program reads the archive in the same way.
std::optional<std::vector<Central>> only_reading(std::string_view archive) {
  const std::size_t at = archive.rfind(kEndMark);
  if (at == std::string_view::npos) return std::nullopt;
  const auto end = end_at(archive, at);
  if (!end || end->spans_disks || end->is_zip64 || end->end != archive.size() ||
      end->directory + end->size != at) {
    return std::nullopt;
  }
  Directory directory = directory_at(archive, end->directory, kMaxEntries);
  if (directory.end != at || directory.entries.size() != end->entries)
    return std::nullopt;

  std::vector<Extent> extents;
  for (const Central& entry : directory.entries) {
    const auto local = local_at(archive, entry.local);
    if (!local || !agree(entry, *local)) return std::nullopt;
    if (entry.packed > end->directory || local->data + entry.packed > end->directory) {
      return std::nullopt;
    }
    extents.push_back({local->at, local->data, local->data + entry.packed,
                       entry.method == kStored && !is_encrypted(entry)});
  }
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  std::size_t before = 0;
  for (const Extent& extent : extents) {
    if (extent.begin < before) return std::nullopt;
    before = extent.end;
  }
  const bool begins = extents.empty() || extents.front().begin == 0;
  if (!begins || !has_no_other_local(archive, extents)) return std::nullopt;
  return std::move(directory.entries);
}

// Finds the next mark behind places that ascend; where they do not, a mark may be missed.
// Each byte is searched once.
class NextMark {
 public:
  NextMark(std::string_view archive, std::string_view mark)
      : archive_(archive), mark_(mark), at_(archive.find(mark)) {}
  std::size_t after(std::size_t from) {
    if (at_ < from) at_ = archive_.find(mark_, from);  // npos is not smaller
    return at_;
  }

 private:
  const std::string_view archive_, mark_;
  std::size_t at_;
};

// Collects the contents that programs may get out of an archive.
class Readings {
 public:
  Readings(std::string_view archive, Findings& findings)
      : archive_(archive), findings_(findings) {}

  void collect() {
    add_listed();
    add_unlisted();
  }

  void unpack() {
    if (found_.size() > kMaxReadings) findings_.note_unscannable("Zip.Readings");
    std::size_t count = 0;
    for (const Reading& reading : found_) {
      if (findings_.is_late() || ++count > kMaxReadings) return;
      const std::string_view packed = archive_.substr(
          reading.data,
          std::min<std::uint64_t>(reading.size, archive_.size() - reading.data));
      add_content(reading.method, packed);
    }
  }

 private:
  struct Reading {
    std::size_t data;
    std::uint64_t size;
    std::uint16_t method;
    bool operator<(const Reading& other) const {
      return std::tie(data, method, size) <
             std::tie(other.data, other.method, other.size);
    }
  };

  void add_content(std::uint16_t method, std::string_view packed) {
    std::string content;
    if (method == kStored) {
      content = packed;
    } else if (method == kDeflated) {
      content = findings_.unpack(Codec::deflate, packed).bytes;
    } else if (method == kBzip2) {
      content = findings_.unpack(Codec::bzip2, packed).bytes;
    } else {
      findings_.note_unscannable("Zip.Method" + std::to_string(method));
    }
    // Readings of other sizes often give the same.
    const auto& members = findings_.members();
    if (members.empty() || members.back() != content) {
      findings_.add_member(std::move(content));
    }
  }

  void add(const Local& local, std::uint16_t method, std::uint64_t size) {
    if (size == 0 || found_.size() > kMaxReadings) return;
    found_.insert({local.data, size, method});
  }

  void add_local(const Local& local) {
    note_name(local, findings_);
    if (is_encrypted(local)) {
      findings_.note_encrypted("Encrypted.Zip");
      return;
    }
    add(local, local.method, local.packed);
    if ((local.flags & kSizesFollow) == 0) return;
    // 4.3.9: whoever reads from the beginning has to find the end of the content.
    if (local.method != kStored) {
      add(local, local.method, kToTheEnd);
      return;
    }
    for (NextMark& mark : marks_) {
      const std::size_t next = mark.after(local.data);
      if (next != std::string_view::npos && next > local.data) {
        add(local, kStored, next - local.data);
      }
    }
  }

  void add_directory(const EndRecord& end, std::uint64_t at) {
    const Directory directory = directory_at(archive_, at, kMaxEntries);
    // Offsets count from the beginning of the file, or of the archive in it.
    const std::uint64_t shifts[] = {0, at - end.directory};
    for (const Central& entry : directory.entries) {
      note_name(entry, findings_);
      if (is_encrypted(entry)) findings_.note_encrypted("Encrypted.Zip");
      for (const std::uint64_t shift : shifts) {
        const auto local = local_at(archive_, entry.local + shift);
        if (!local) {
          add_unmarked(entry, entry.local + shift);
          continue;
        }
        if (is_encrypted(entry) && is_encrypted(*local)) continue;
        for (const std::uint16_t method : {entry.method, local->method}) {
          add(*local, method, entry.packed);
          add(*local, method, local->packed);
          if (method != kStored) continue;
          add(*local, method, entry.unpacked);
          add(*local, method, local->unpacked);
        }
      }
    }
  }

  void add_unmarked(const Central& entry, std::uint64_t at) {
    const auto local = local_at(archive_, at, Mark::any);
    if (!local || is_encrypted(entry) || local->name != entry.name) return;
    add(*local, entry.method, entry.packed);
  }

  void add_listed() {
    std::size_t count = 0;
    for (std::size_t at = archive_.rfind(kEndMark); at != std::string_view::npos;
         at = at == 0 ? std::string_view::npos : archive_.rfind(kEndMark, at - 1)) {
      if (++count > kMaxEnds) {
        findings_.note_unscannable("Zip.EndRecords");
        return;
      }
      const auto end = end_at(archive_, at);
      if (!end) continue;
      add_directory(*end, end->directory);
      if (end->size <= at) add_directory(*end, at - end->size);
      if (const auto wide = zip64_end_before(archive_, *end)) {
        add_directory(*wide, wide->directory);
        if (wide->size <= wide->at) add_directory(*wide, wide->at - wide->size);
      }
    }
  }

  void add_unlisted() {
    for (std::size_t at = archive_.find(kLocalMark);
         at != std::string_view::npos && found_.size() <= kMaxReadings;
         at = archive_.find(kLocalMark, at + 1)) {
      if (const auto local = local_at(archive_, at)) add_local(*local);
    }
  }

  const std::string_view archive_;
  Findings& findings_;
  std::set<Reading> found_;
  NextMark marks_[3] = {
      {archive_, kLocalMark}, {archive_, kCentralMark}, {archive_, kDescriptorMark}};
};

// OpenDocument 1.3, part 2, 3.4.1: the manifest names what is encrypted.
void look_at_manifest(std::string_view archive, const Central& entry,
                      Findings& findings) {
  const auto local = local_at(archive, entry.local);
  if (!local || entry.packed > kMaxManifest) return;
  const std::string_view packed = archive.substr(
      local->data, std::min<std::uint64_t>(entry.packed, archive.size() - local->data));
  std::string unpacked;
  if (entry.method == kDeflated) unpacked = findings.unpack(Codec::deflate, packed).bytes;
  const std::string_view manifest = entry.method == kStored ? packed : unpacked;
  if (manifest.find("encryption-data") != std::string_view::npos) {
    findings.note_encrypted("Encrypted.OpenDocument");
  }
}

}  // namespace

void examine_zip(std::string_view content, Findings& findings) {
  if (!is_archive(content)) return;
  const auto entries = only_reading(content);
  if (!entries) {
    Readings readings(content, findings);
    readings.collect();
    readings.unpack();
  }
  const std::size_t end = content.rfind(kEndMark);
  const auto record = end == std::string_view::npos ? std::nullopt : end_at(content, end);
  const std::vector<Central> listed =
      entries  ? *entries
      : record ? directory_at(content, record->directory, kMaxEntries).entries
               : std::vector<Central>();
  for (const Central& entry : listed) {
    note_name(entry, findings);
    if (is_encrypted(entry)) {
      findings.note_encrypted("Encrypted.Zip");
    } else if (!is_known(entry.method) && entry.packed != 0) {
      findings.note_unscannable("Zip.Method" + std::to_string(entry.method));
    }
    if (entry.name == "META-INF/manifest.xml") look_at_manifest(content, entry, findings);
  }
}

}  // namespace mxfeed::virus
