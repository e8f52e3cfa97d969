// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/seven_zip_reader.h"

#include "common/base/text.h"
#include "milters/virus/scan/formats/bytes.h"

namespace mxfeed::virus::seven_zip {
namespace {

// As in 7-Zip itself.
constexpr std::uint64_t kMaxCoders = 32, kMaxStreamsOfCoder = 32;
constexpr std::uint64_t kMaxItems = 1'000'000;

enum Id : std::uint64_t {
  kEnd = 0x00,
  kHeader = 0x01,
  kArchiveProperties = 0x02,
  kAdditionalStreams = 0x03,
  kMainStreams = 0x04,
  kPackInfo = 0x06,
  kUnpackInfo = 0x07,
  kSize = 0x09,
  kCrc = 0x0a,
  kFolder = 0x0b,
  kUnpackSize = 0x0c,
  kEncodedHeader = 0x17,
};

class HeaderReader {
 public:
  explicit HeaderReader(std::string_view bytes) : reader_(bytes) {}

  bool streams(Streams& streams) {
    std::uint64_t id = number();
    if (id == kPackInfo) {
      if (!pack_info(streams)) return false;
      id = number();
    }
    if (id == kUnpackInfo && !unpack_info(streams)) return false;
    // Which file is where does not matter here.
    return reader_.ok();
  }

  bool skip_properties() {
    while (reader_.ok()) {
      if (number() == kEnd) return reader_.ok();
      reader_.skip(number());
    }
    return false;
  }

  // The leading ones of the first byte say how many bytes follow.
  std::uint64_t number() {
    const std::uint8_t first = reader_.u8();
    std::uint64_t value = 0;
    std::uint8_t mask = 0x80;
    for (unsigned i = 0; i < 8; ++i, mask >>= 1) {
      if ((first & mask) == 0) {
        return value | (std::uint64_t{first} & (mask - 1u)) << (8 * i);
      }
      value |= std::uint64_t{reader_.u8()} << (8 * i);
    }
    return value;
  }

 private:
  bool pack_info(Streams& streams) {
    streams.position = number();
    const std::uint64_t count = number();
    if (count > kMaxItems) return false;
    for (std::uint64_t id = number(); id != kEnd; id = number()) {
      if (!reader_.ok()) return false;
      if (id == kCrc) {
        skip_sums(count);
      } else if (id == kSize) {
        for (std::uint64_t i = 0; i < count && reader_.ok(); ++i) {
          streams.sizes.push_back(number());
        }
      } else {
        reader_.skip(number());
      }
    }
    return reader_.ok();
  }

  void skip_sums(std::uint64_t count) {
    std::uint64_t defined = count;
    if (reader_.u8() == 0) {
      defined = 0;
      for (const char bits : reader_.take((count + 7) / 8)) {
        for (unsigned i = 0; i < 8; ++i) defined += static_cast<unsigned>(bits) >> i & 1;
      }
    }
    reader_.skip(defined * 4);
  }

  bool unpack_info(Streams& streams) {
    if (number() != kFolder) return false;
    const std::uint64_t count = number();
    if (count > kMaxItems || reader_.u8() != 0) return false;  // 1: they are elsewhere
    for (std::uint64_t i = 0; i < count; ++i) {
      Folder one;
      if (!folder(one)) return false;
      streams.folders.push_back(std::move(one));
    }
    if (number() != kUnpackSize) return false;
    for (Folder& one : streams.folders) {
      std::uint64_t outputs = 0;
      for (const Coder& coder : one.coders) outputs += coder.outputs;
      for (std::uint64_t i = 0; i < outputs && reader_.ok(); ++i) {
        one.sizes.push_back(number());
      }
    }
    for (std::uint64_t id = number(); id != kEnd; id = number()) {
      if (!reader_.ok()) return false;
      if (id == kCrc) {
        skip_sums(count);
      } else {
        reader_.skip(number());
      }
    }
    return reader_.ok();
  }

  bool folder(Folder& folder) {
    const std::uint64_t coders = number();
    if (coders == 0 || coders > kMaxCoders) return false;
    std::uint64_t inputs = 0, outputs = 0;
    for (std::uint64_t i = 0; i < coders; ++i) {
      Coder coder;
      const std::uint8_t flags = reader_.u8();
      if ((flags & 0xc0) != 0) return false;
      coder.id = to_hex(reader_.take(flags & 0x0f));
      if ((flags & 0x10) != 0) {
        coder.inputs = number();
        coder.outputs = number();
      }
      if ((flags & 0x20) != 0) coder.properties = reader_.take(number());
      if (!reader_.ok() || coder.inputs > kMaxStreamsOfCoder ||
          coder.outputs > kMaxStreamsOfCoder) {
        return false;
      }
      inputs += coder.inputs;
      outputs += coder.outputs;
      folder.coders.push_back(std::move(coder));
    }
    if (outputs == 0 || inputs + 1 < outputs) return false;
    for (std::uint64_t i = 0; i + 1 < outputs; ++i) {
      const std::uint64_t input = number();
      folder.binds.emplace_back(input, number());
    }
    const std::uint64_t packed = inputs - (outputs - 1);
    if (packed == 1) {
      for (std::uint64_t i = 0; i < inputs; ++i) {
        bool is_bound = false;
        for (const auto& bind : folder.binds) is_bound = is_bound || bind.first == i;
        if (!is_bound) folder.packed_inputs.push_back(i);
      }
    } else {
      for (std::uint64_t i = 0; i < packed; ++i) folder.packed_inputs.push_back(number());
    }
    return reader_.ok();
  }

  ByteReader reader_;
};

}  // namespace

ArchiveHeader read_header(std::string_view bytes) {
  ArchiveHeader header;
  HeaderReader reader(bytes);
  std::uint64_t id = reader.number();
  if (id == kEncodedHeader) {
    header.is_encoded = true;
    header.is_valid = reader.streams(header.streams);
    return header;
  }
  if (id != kHeader) return header;
  id = reader.number();
  if (id == kArchiveProperties) {
    if (!reader.skip_properties()) return header;
    id = reader.number();
  }
  // They hold nothing that a program takes out, and no program writes them.
  if (id == kAdditionalStreams) return header;
  header.is_valid = id != kMainStreams || reader.streams(header.streams);
  return header;
}

}  // namespace mxfeed::virus::seven_zip
