// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/decompress.h"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>

namespace mxfeed::virus {
namespace {

using End = Decompressed::End;

constexpr std::size_t kStep = std::size_t{256} * 1024;
// xz -9 needs 65 MiB.
constexpr std::uint64_t kMaxMemory = 128ull << 20;
constexpr std::size_t kMaxInput = std::numeric_limits<unsigned>::max();

enum class Step { more, complete, malformed, too_large, unsupported };

// Each stream class takes a step: reads from `in`, writes to `out`, takes what it has
// used off both.
class ZlibStream {
 public:
  explicit ZlibStream(int window_bits) {
    ok_ = ::inflateInit2(&stream_, window_bits) == Z_OK;
  }
  ~ZlibStream() { ::inflateEnd(&stream_); }
  ZlibStream(const ZlibStream&) = delete;
  ZlibStream& operator=(const ZlibStream&) = delete;

  Step step(std::string_view& in, char*& out, std::size_t& room) {
    if (!ok_) return Step::too_large;
    const std::size_t given = std::min(in.size(), kMaxInput);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<unsigned>(given);
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<unsigned>(room);
    const int outcome = ::inflate(&stream_, Z_NO_FLUSH);
    in.remove_prefix(given - stream_.avail_in);
    out += room - stream_.avail_out;
    room = stream_.avail_out;
    if (outcome == Z_STREAM_END) return Step::complete;
    if (outcome == Z_MEM_ERROR) return Step::too_large;
    return outcome == Z_OK || outcome == Z_BUF_ERROR ? Step::more : Step::malformed;
  }

 private:
  z_stream stream_{};
  bool ok_ = false;
};

class Bzip2Stream {
 public:
  Bzip2Stream() { ok_ = ::BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK; }
  ~Bzip2Stream() { ::BZ2_bzDecompressEnd(&stream_); }
  Bzip2Stream(const Bzip2Stream&) = delete;
  Bzip2Stream& operator=(const Bzip2Stream&) = delete;

  Step step(std::string_view& in, char*& out, std::size_t& room) {
    if (!ok_) return Step::too_large;
    const std::size_t given = std::min(in.size(), kMaxInput);
    stream_.next_in = const_cast<char*>(in.data());
    stream_.avail_in = static_cast<unsigned>(given);
    stream_.next_out = out;
    stream_.avail_out = static_cast<unsigned>(room);
    const int outcome = ::BZ2_bzDecompress(&stream_);
    in.remove_prefix(given - stream_.avail_in);
    out += room - stream_.avail_out;
    room = stream_.avail_out;
    if (outcome == BZ_STREAM_END) return Step::complete;
    if (outcome == BZ_MEM_ERROR) return Step::too_large;
    return outcome == BZ_OK ? Step::more : Step::malformed;
  }

 private:
  bz_stream stream_{};
  bool ok_ = false;
};

class LzmaStream {
 public:
  explicit LzmaStream(Codec codec) {
    switch (codec) {
      case Codec::xz:
        ready_ = ::lzma_stream_decoder(&stream_, kMaxMemory, 0);
        break;
      case Codec::lzip:
        ready_ = ::lzma_lzip_decoder(&stream_, kMaxMemory, 0);
        break;
      default:
        ready_ = ::lzma_alone_decoder(&stream_, kMaxMemory);
        break;
    }
  }
  // Raw LZMA.
  explicit LzmaStream(std::string_view properties) {
    lzma_filter filters[2] = {{LZMA_FILTER_LZMA1, nullptr}, {LZMA_VLI_UNKNOWN, nullptr}};
    ready_ = ::lzma_properties_decode(
        &filters[0], nullptr, reinterpret_cast<const std::uint8_t*>(properties.data()),
        properties.size());
    if (ready_ != LZMA_OK) return;
    ready_ = ::lzma_raw_decoder_memusage(filters) > kMaxMemory
                 ? LZMA_MEMLIMIT_ERROR
                 : ::lzma_raw_decoder(&stream_, filters);
    ::lzma_filters_free(filters, nullptr);
  }
  ~LzmaStream() { ::lzma_end(&stream_); }
  LzmaStream(const LzmaStream&) = delete;
  LzmaStream& operator=(const LzmaStream&) = delete;

  Step step(std::string_view& in, char*& out, std::size_t& room) {
    if (ready_ != LZMA_OK) return failed(ready_);
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out);
    stream_.avail_out = room;
    const lzma_ret outcome = ::lzma_code(&stream_, LZMA_RUN);
    in.remove_prefix(in.size() - stream_.avail_in);
    out += room - stream_.avail_out;
    room = stream_.avail_out;
    if (outcome == LZMA_STREAM_END) return Step::complete;
    return outcome == LZMA_OK || outcome == LZMA_BUF_ERROR ? Step::more : failed(outcome);
  }

 private:
  static Step failed(lzma_ret outcome) {
    if (outcome == LZMA_MEM_ERROR || outcome == LZMA_MEMLIMIT_ERROR)
      return Step::too_large;
    return outcome == LZMA_OPTIONS_ERROR ? Step::unsupported : Step::malformed;
  }

  lzma_stream stream_ = LZMA_STREAM_INIT;
  lzma_ret ready_ = LZMA_OK;
};

class ZstdStream {
 public:
  ZstdStream() : stream_(::ZSTD_createDStream()) {}
  ~ZstdStream() { ::ZSTD_freeDStream(stream_); }
  ZstdStream(const ZstdStream&) = delete;
  ZstdStream& operator=(const ZstdStream&) = delete;

  Step step(std::string_view& in, char*& out, std::size_t& room) {
    if (stream_ == nullptr) return Step::too_large;
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out, room, 0};
    const std::size_t outcome = ::ZSTD_decompressStream(stream_, &to, &from);
    in.remove_prefix(from.pos);
    out += to.pos;
    room -= to.pos;
    if (outcome == 0) return Step::complete;
    if (!::ZSTD_isError(outcome)) return Step::more;
    // A window of more than 128 MiB is refused.
    return std::string_view(::ZSTD_getErrorName(outcome)).find("memory") !=
                   std::string_view::npos
               ? Step::too_large
               : Step::malformed;
  }

 private:
  ZSTD_DStream* stream_;
};

template <typename Stream>
Decompressed run(Stream&& stream, std::string_view input,
                 const DecompressBounds& bounds) {
  Decompressed result;
  std::string_view in = input;
  for (;;) {
    if (bounds.is_late()) {
      result.end = End::too_late;
      break;
    }
    const std::size_t before = result.bytes.size();
    // One byte more than allowed, to tell a full output from one that is too large.
    const std::uint64_t wanted =
        std::min<std::uint64_t>(std::max(kStep, before / 2), bounds.output - before + 1);
    result.bytes.resize(before + wanted);
    char* out = result.bytes.data() + before;
    std::size_t room = wanted;
    const std::size_t in_before = in.size();
    const Step step = stream.step(in, out, room);
    result.bytes.resize(result.bytes.size() - room);
    if (result.bytes.size() > bounds.output) {
      result.bytes.resize(bounds.output);
      result.end = End::too_large;
      break;
    }
    if (step == Step::more && (room == 0 || in.size() != in_before)) continue;
    result.end = step == Step::complete      ? End::complete
                 : step == Step::too_large   ? End::too_large
                 : step == Step::unsupported ? End::unsupported
                 : step == Step::more        ? End::truncated
                                             : End::malformed;
    break;
  }
  result.consumed = input.size() - in.size();
  return result;
}

}  // namespace

Decompressed decompress(Codec codec, std::string_view input,
                        const DecompressBounds& bounds) {
  switch (codec) {
    case Codec::deflate:
      return run(ZlibStream(-MAX_WBITS), input, bounds);
    case Codec::zlib:
      return run(ZlibStream(MAX_WBITS), input, bounds);
    case Codec::gzip:
      return run(ZlibStream(MAX_WBITS + 16), input, bounds);
    case Codec::bzip2:
      return run(Bzip2Stream(), input, bounds);
    case Codec::zstd:
      return run(ZstdStream(), input, bounds);
    case Codec::xz:
    case Codec::lzma:
    case Codec::lzip:
      break;
  }
  return run(LzmaStream(codec), input, bounds);
}

Decompressed decompress_raw_lzma(std::string_view properties, std::string_view input,
                                 std::uint64_t size, const DecompressBounds& bounds) {
  const std::uint64_t most = std::min(size, bounds.output);
  Decompressed result =
      run(LzmaStream(properties), input, DecompressBounds{most, bounds.is_late});
  // The stream need not have an end mark: it ends where its size is reached.
  if (result.bytes.size() == size && result.end != End::too_late) {
    result.end = End::complete;
  }
  return result;
}

std::uint32_t crc32_of(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace mxfeed::virus
