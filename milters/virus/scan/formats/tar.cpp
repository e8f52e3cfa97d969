// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/tar.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

namespace mxfeed::virus {
namespace {

// POSIX.1-2017, pax, "ustar Interchange Format".
constexpr std::size_t kBlock = 512;
constexpr std::size_t kSizeAt = 124, kSizeDigits = 12;
constexpr std::size_t kSumAt = 148, kSumDigits = 8;
constexpr std::size_t kTypeAt = 156;
constexpr std::size_t kMaxFiles = 100'000;

std::optional<std::uint64_t> octal(std::string_view field) {
  field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
  std::uint64_t value = 0;
  std::size_t digits = 0;
  while (digits < field.size() && field[digits] >= '0' && field[digits] <= '7') {
    value = value * 8 + static_cast<std::uint64_t>(field[digits++] - '0');
  }
  return digits > 0 ? std::optional(value) : std::nullopt;
}

// As octal digits, or in binary behind a first byte of 0x80 (GNU).
std::optional<std::uint64_t> size_in(std::string_view header) {
  const std::string_view field = header.substr(kSizeAt, kSizeDigits);
  if (field[0] != '\x80') return octal(field);
  std::uint64_t value = 0;
  for (const char c : field.substr(kSizeDigits - 8)) {
    value = value << 8 | static_cast<unsigned char>(c);
  }
  return value;
}

// Links, devices and directories have none, whatever their size says.
bool has_data(std::string_view header) {
  return header[kTypeAt] < '1' || header[kTypeAt] > '6';
}

// Where a tar begins that has other data in front of it, as 7-Zip finds one.
std::size_t embedded_tar(std::string_view content) {
  constexpr std::size_t kMarkAt = 257, kSearched = std::size_t{8} << 20;
  constexpr std::string_view kMark = "ustar";
  content = content.substr(0, kSearched);
  std::size_t from = kMarkAt;
  while (from < content.size()) {
    const void* const at = ::memmem(content.data() + from, content.size() - from,
                                    kMark.data(), kMark.size());
    if (at == nullptr) break;
    const std::size_t found = static_cast<const char*>(at) - content.data();
    if (is_tar(content.substr(found - kMarkAt))) return found - kMarkAt;
    from = found + 1;
  }
  return std::string_view::npos;
}

}  // namespace

bool is_tar(std::string_view block) {
  if (block.size() < kBlock) return false;
  const auto given = octal(block.substr(kSumAt, kSumDigits));
  if (!given) return false;
  std::uint64_t sum = kSumDigits * ' ';  // for its own digits
  for (std::size_t i = 0; i < kBlock; ++i) {
    if (i < kSumAt || i >= kSumAt + kSumDigits)
      sum += static_cast<unsigned char>(block[i]);
  }
  return *given == sum;
}

void examine_tar(std::string_view content, Findings& findings) {
  if (!is_tar(content)) {
    const std::size_t begin = embedded_tar(content);
    if (begin != std::string_view::npos) {
      findings.add_member(std::string(content.substr(begin)));
    }
    return;
  }
  std::size_t files = 0;
  while (is_tar(content) && files < kMaxFiles) {
    const auto size =
        has_data(content) ? size_in(content) : std::optional<std::uint64_t>(0);
    content.remove_prefix(kBlock);
    ++files;
    if (!size) break;
    if (*size > content.size()) return;
    const std::uint64_t blocks = (*size + kBlock - 1) / kBlock;
    content.remove_prefix(std::min<std::uint64_t>(blocks * kBlock, content.size()));
  }
  const std::size_t rest = content.find_first_not_of('\0');
  if (files == 0 || rest == std::string_view::npos) return;
  findings.add_member(std::string(content.substr(rest)));
}

}  // namespace mxfeed::virus
