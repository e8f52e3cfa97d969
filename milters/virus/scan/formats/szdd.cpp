// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/szdd.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "milters/virus/scan/formats/bytes.h"

namespace mxfeed::virus {
namespace {

// LZSS: each bit of a control byte, the lowest first, tells a byte from a match in a
// window of 4096, which begins full of blanks.
std::string decode(std::string_view data, std::size_t size) {
  constexpr std::size_t kWindow = 4096, kFirst = kWindow - 16, kShortest = 3;
  std::array<char, kWindow> window;
  window.fill(' ');
  std::string out;
  std::size_t to = kFirst;
  const auto put = [&](char c) {
    out += c;
    window[to] = c;
    to = (to + 1) % kWindow;
  };
  ByteReader reader(data);
  while (reader.ok() && out.size() < size) {
    const unsigned control = reader.u8();
    for (unsigned bit = 0; bit < 8 && reader.ok() && out.size() < size; ++bit) {
      const unsigned low = reader.u8();
      if (!reader.ok()) break;
      if ((control >> bit & 1) != 0) {
        put(static_cast<char>(low));
        continue;
      }
      const unsigned high = reader.u8();
      if (!reader.ok()) break;
      const std::size_t from = low | (high & 0xF0U) << 4;
      const std::size_t length = std::min((high & 0x0FU) + kShortest, size - out.size());
      for (std::size_t i = 0; i < length; ++i) put(window[(from + i) % kWindow]);
    }
  }
  return out;
}

}  // namespace

void examine_szdd(std::string_view content, Findings& findings) {
  constexpr std::string_view kMark = "SZDD\x88\xf0\x27\x33\x41";
  if (!content.starts_with(kMark)) return;
  ByteReader reader(content);
  reader.skip(kMark.size() + 1);  // and the last character of the file's name
  const std::uint32_t size = reader.le32();
  if (!reader.ok()) return;
  // A match makes at most 18 bytes of two.
  if (std::min<std::uint64_t>(size, content.size() * 9) > findings.left()) {
    return findings.note_unscannable("MaxScanSize");
  }
  findings.add_member(decode(reader.rest(), size));
}

}  // namespace mxfeed::virus
