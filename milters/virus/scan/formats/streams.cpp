// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/streams.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "milters/virus/scan/formats/bytes.h"
#include "milters/virus/scan/formats/tar.h"

namespace mxfeed::virus {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kMaxStreams = 10'000;
constexpr std::string_view kXz = "\xfd\x37zXZ\0"sv;

// The header has no mark, but few bytes begin like it: xz(1) itself takes only such.
bool is_lzma(std::string_view content) {
  ByteReader reader(content);
  const std::uint8_t properties = reader.u8();
  const std::uint32_t dictionary = reader.le32();
  const std::uint64_t size = reader.le64();
  // 2^n or 2^n + 2^(n-1)
  std::uint32_t odd = dictionary;
  while (odd != 0 && odd % 2 == 0) odd /= 2;
  const bool is_usual = odd == 1 || odd == 3 || dictionary == 0xffffffff;
  return reader.ok() && properties < 225 && is_usual && dictionary >= 4096 &&
         (size == ~std::uint64_t{0} || size < std::uint64_t{1} << 38) &&
         reader.rest().starts_with('\0');  // LZMA's first byte
}

// Zstandard, unless a stream of LZ4 follows, which has the same frames.
bool is_zstd(std::string_view content) {
  const std::string_view stream = past_skippable(content);
  if (stream.starts_with("\x28\xb5\x2f\xfd")) return true;
  return stream.size() < content.size() && !stream.starts_with(kLz4);
}

std::optional<Codec> codec_of(std::string_view content) {
  if (content.starts_with("\x1f\x8b\x08")) return Codec::gzip;
  if (content.starts_with(kXz)) return Codec::xz;
  if (content.starts_with("LZIP\1")) return Codec::lzip;
  if (is_zstd(content)) return Codec::zstd;
  if (content.size() > 10 && content.starts_with("BZh") && content[3] >= '1' &&
      content[3] <= '9' &&
      (content.substr(4).starts_with("1AY&SY") ||
       content.substr(4).starts_with("\x17\x72\x45\x38\x50\x90"))) {
    return Codec::bzip2;
  }
  return is_lzma(content) ? std::optional(Codec::lzma) : std::nullopt;
}

// RFC 1952, 2.3: programs may give the file the name that the stream has.
void note_gzip_name(std::string_view content, Findings& findings) {
  constexpr std::uint8_t kExtra = 1 << 2, kName = 1 << 3;
  ByteReader reader(content);
  reader.skip(3);
  const std::uint8_t flags = reader.u8();
  reader.skip(6);
  if ((flags & kExtra) != 0) reader.skip(reader.le16());
  if ((flags & kName) == 0 || !reader.ok()) return;
  const auto end = reader.rest().find('\0');
  if (end != std::string_view::npos) findings.note_name(reader.take(end));
}

// libclamav gives up an xz file that is damaged or has filters that it does not know.
bool is_read_by_libclamav(Codec codec) {
  return codec == Codec::gzip || codec == Codec::bzip2;
}

// Reads the streams at the beginning of the content, one behind the other.  `is_seen`:
// the first one needs no reading if there is no other.
void read_streams(Codec codec, std::string_view content, bool is_seen,
                  Findings& findings) {
  std::vector<std::string> streams;
  std::string all;
  while (codec_of(content) == codec) {
    if (streams.size() >= kMaxStreams) return findings.note_unscannable("MaxFiles");
    if (codec == Codec::gzip) note_gzip_name(content, findings);
    Decompressed stream = findings.unpack(codec, content);
    using End = Decompressed::End;
    if (stream.end == End::too_large || stream.end == End::too_late ||
        stream.end == End::unsupported) {
      return;
    }
    if (codec == Codec::lzma && stream.end == End::malformed && all.empty()) return;
    if (all.size() + stream.bytes.size() > findings.left()) {
      return findings.note_unscannable("MaxScanSize");
    }
    all += stream.bytes;
    streams.push_back(std::move(stream.bytes));
    if (stream.end != End::complete) break;
    content.remove_prefix(stream.consumed);
    // Padding, as gzip(1) and xz(1) take it.
    const std::size_t next = content.find_first_not_of('\0');
    content.remove_prefix(next == std::string_view::npos ? content.size() : next);
  }
  if (streams.size() == 1 && is_seen) return;
  if (streams.size() > 1) {
    for (std::string& stream : streams) findings.add_member(std::move(stream));
  }
  findings.add_member(std::move(all));
}

// Finds the places where a stream may begin, in one pass for each mark.
class MarkSearch {
 public:
  explicit MarkSearch(std::string_view content) : content_(content) {
    for (std::size_t i = 0; i < next_.size(); ++i) next_[i] = find(kMarks[i], 1);
  }

  // The next place behind the last one, never the beginning; npos if there is none.
  std::size_t next() {
    const auto first = std::min_element(next_.begin(), next_.end());
    const std::size_t at = *first;
    if (at != npos) *first = find(kMarks[first - next_.begin()], at + 1);
    return at;
  }

  static constexpr std::size_t npos = std::string_view::npos;

 private:
  struct Mark {
    std::string_view bytes;
    std::size_t before;  // bytes of the stream in front of the mark
  };
  static constexpr std::array<Mark, 5> kMarks = {{{"\x1f\x8b\x08"sv, 0},
                                                  {kXz, 0},
                                                  {"\x28\xb5\x2f\xfd"sv, 0},
                                                  {"1AY&SY"sv, 4},
                                                  {"LZIP\1"sv, 0}}};

  std::size_t find(const Mark& mark, std::size_t from) const {
    const std::size_t begin = from + mark.before;
    if (begin >= content_.size()) return npos;
    const void* const at = ::memmem(content_.data() + begin, content_.size() - begin,
                                    mark.bytes.data(), mark.bytes.size());
    if (at == nullptr) return npos;
    return static_cast<const char*>(at) - content_.data() - mark.before;
  }

  std::string_view content_;
  std::array<std::size_t, kMarks.size()> next_{};
};

// 7-Zip opens a stream behind other data, and a script may unpack its own end.
void read_embedded(std::string_view content, Findings& findings) {
  constexpr std::size_t kSearched = std::size_t{8} << 20;  // as far as 7-Zip looks
  if (is_tar(content)) return;  // its files are read one by one
  MarkSearch search(content.substr(0, kSearched));
  std::size_t tried = 0;
  for (std::size_t at = search.next(); at != search.npos; at = search.next()) {
    if (findings.is_late()) return;
    if (++tried > kMaxStreams) return findings.note_unscannable("MaxFiles");
    const auto codec = codec_of(content.substr(at));
    if (codec) read_streams(*codec, content.substr(at), false, findings);
  }
}

}  // namespace

std::string_view past_skippable(std::string_view content) {
  while (content.size() >= 8 && (content[0] & 0xf0) == 0x50 &&
         content.substr(1).starts_with("\x2a\x4d\x18")) {
    ByteReader reader(content);
    reader.skip(4);
    reader.skip(reader.le32());
    if (!reader.ok()) return {};
    content = reader.rest();
  }
  return content;
}

void examine_streams(std::string_view content, Findings& findings) {
  const auto codec = codec_of(content);
  if (!codec) return read_embedded(content, findings);
  read_streams(*codec, content, is_read_by_libclamav(*codec), findings);
}

}  // namespace mxfeed::virus
