// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/crc32.h"

#include <array>
#include <cstddef>

namespace mxfeed {
namespace {

constexpr std::size_t kSlices = 8;
using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

// Table n: what a byte does to the checksum n bytes later ("slicing by 8").
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1) != 0 ? value >> 1 ^ 0xEDB88320 : value >> 1;
    }
    tables[0][i] = value;
  }
  for (std::size_t n = 1; n < kSlices; ++n) {
    for (std::size_t i = 0; i < 256; ++i) {
      const std::uint32_t value = tables[n - 1][i];
      tables[n][i] = value >> 8 ^ tables[0][value & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

std::uint32_t octet(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

}  // namespace

std::uint32_t crc32(std::string_view bytes, std::uint32_t before) {
  std::uint32_t value = ~before;
  for (; bytes.size() >= kSlices; bytes.remove_prefix(kSlices)) {
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < kSlices; ++i) {
      std::uint32_t index = octet(bytes, i);
      if (i < 4) index ^= value >> (8 * i) & 0xFF;
      next ^= kTables[kSlices - 1 - i][index];
    }
    value = next;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value = value >> 8 ^ kTables[0][(value ^ octet(bytes, i)) & 0xFF];
  }
  return ~value;
}

}  // namespace mxfeed
