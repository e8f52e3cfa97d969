// SPDX-License-Identifier: GPL-2.0-or-later
//
// Numbers of four bytes in files of our own: the lowest byte first.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mxfeed {

inline void put_u32(std::string& out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i, value >>= 8) out += static_cast<char>(value & 0xFF);
}

// There must be four bytes at that place.
inline std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

}  // namespace mxfeed
