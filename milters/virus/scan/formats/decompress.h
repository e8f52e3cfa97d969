// SPDX-License-Identifier: GPL-2.0-or-later
//
// Decompresses one stream, within bounds.  Used for what libclamav does not decompress;
// libraries of Debian do the work.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace mxfeed::virus {

enum class Codec : std::uint8_t { deflate, zlib, gzip, bzip2, xz, lzma, lzip, zstd };

struct Decompressed {
  enum class End : std::uint8_t {
    complete,
    truncated,  // the input ends before the stream does
    malformed,
    too_large,    // more output than allowed, or it needs too much memory
    unsupported,  // a form that the library does not know
    too_late,
  };
  std::string bytes;         // what came out, whatever the end
  std::size_t consumed = 0;  // of the input
  End end = End::malformed;
};

struct DecompressBounds {
  std::uint64_t output;
  const std::function<bool()>& is_late;  // asked from time to time
};

Decompressed decompress(Codec codec, std::string_view input,
                        const DecompressBounds& bounds);

// LZMA without a header, as in 7z archives: `properties` are five bytes, and the output
// has a known size.
Decompressed decompress_raw_lzma(std::string_view properties, std::string_view input,
                                 std::uint64_t size, const DecompressBounds& bounds);

// The checksum of gzip, ZIP and 7z.
std::uint32_t crc32_of(std::string_view bytes);

}  // namespace mxfeed::virus
