// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/tagged_value.h"

namespace mxfeed {

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  out += static_cast<char>(value);
}

std::optional<std::uint64_t> take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63 && !in.empty(); shift += 7) {
    const auto octet = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= std::uint64_t{octet & 0x7Fu} << shift;
    if (octet < 0x80) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> take_bytes(std::string_view& in) {
  const auto length = take_varint(in);
  if (!length || *length > in.size()) return std::nullopt;
  const auto bytes = in.substr(0, *length);
  in.remove_prefix(*length);
  return bytes;
}

std::string number_bytes(std::uint64_t value) {
  std::string bytes;
  for (; value != 0; value >>= 8) bytes += static_cast<char>(value & 0xFF);
  return bytes;
}

std::optional<std::uint64_t> number_of_bytes(std::string_view bytes, std::uint64_t most) {
  if (bytes.size() > 8) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  if (value > most) return std::nullopt;
  return value;
}

}  // namespace mxfeed
