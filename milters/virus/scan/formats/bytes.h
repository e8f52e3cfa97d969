// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads numbers and pieces out of bytes that nobody vouches for.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mxfeed::virus {

// Takes from the front.  What is not there is 0 or empty, and ok() is false from then on.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

  std::uint8_t u8() { return static_cast<std::uint8_t>(little_endian(1)); }
  std::uint16_t le16() { return static_cast<std::uint16_t>(little_endian(2)); }
  std::uint32_t le32() { return static_cast<std::uint32_t>(little_endian(4)); }
  std::uint64_t le64() { return little_endian(8); }
  std::uint16_t be16() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::uint32_t be32() { return static_cast<std::uint32_t>(big_endian(4)); }

  std::string_view take(std::uint64_t count) {
    if (!ok_ || count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  void skip(std::uint64_t count) { take(count); }

 private:
  std::uint64_t little_endian(std::size_t count) {
    const std::string_view bytes = take(count);
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
      value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
    }
    return value;
  }
  std::uint64_t big_endian(std::size_t count) {
    std::uint64_t value = 0;
    for (const char byte : take(count)) {
      value = value << 8 | static_cast<std::uint8_t>(byte);
    }
    return value;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace mxfeed::virus
