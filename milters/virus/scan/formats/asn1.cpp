// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/asn1.h"

#include <algorithm>
#include <vector>

namespace mxfeed::virus::asn1 {
namespace {

// Constructed elements of indefinite length in each other.
constexpr std::size_t kMaxDepth = 64;

struct Head {
  std::uint8_t tag = 0;
  bool is_indefinite = false;
  std::size_t size = 0;  // of the head
  std::uint64_t length = 0;
};

std::optional<Head> head_of(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  Head head;
  head.tag = at(0);
  if ((head.tag & 0x1f) == 0x1f) return std::nullopt;  // of many bytes: never in CMS
  const std::uint8_t first = at(1);
  head.size = 2;
  if (first < 0x80) {
    head.length = first;
    return head;
  }
  if (first == 0x80) {
    head.is_indefinite = true;
    return (head.tag & kConstructed) != 0 ? std::optional(head) : std::nullopt;
  }
  const std::size_t count = first & 0x7f;
  if (bytes.size() < 2 + count) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    if (head.length >> 56 != 0) return std::nullopt;
    head.length = head.length << 8 | at(2 + i);
  }
  head.size += count;
  return head;
}

bool is_end_mark(std::string_view bytes) {
  return bytes.starts_with(std::string_view("\0\0", 2));
}

// The size of the content of an element of indefinite length, without the end mark.
std::optional<std::size_t> indefinite_size(std::string_view content) {
  std::size_t depth = 1, at = 0;
  while (at < content.size()) {
    const std::string_view rest = content.substr(at);
    if (is_end_mark(rest)) {
      if (--depth == 0) return at;
      at += 2;
      continue;
    }
    const auto head = head_of(rest);
    if (!head) return std::nullopt;
    if (head->is_indefinite && ++depth > kMaxDepth) return std::nullopt;
    at += head->size + std::min<std::uint64_t>(head->length, rest.size() - head->size);
  }
  return content.size();
}

}  // namespace

std::optional<Element> take(std::string_view& bytes) {
  const auto head = head_of(bytes);
  if (!head) return std::nullopt;
  Element element;
  element.tag = head->tag;
  bytes.remove_prefix(head->size);
  if (!head->is_indefinite) {
    element.content =
        bytes.substr(0, std::min<std::uint64_t>(head->length, bytes.size()));
    bytes.remove_prefix(element.content.size());
    return element;
  }
  const auto size = indefinite_size(bytes);
  if (!size) return std::nullopt;
  element.content = bytes.substr(0, *size);
  bytes.remove_prefix(*size);
  if (is_end_mark(bytes)) bytes.remove_prefix(2);
  return element;
}

std::optional<std::string> octets(const Element& element) {
  if ((element.tag & kConstructed) == 0) return std::string(element.content);
  std::string joined;
  // Pieces may consist of pieces; what is left of each level.
  std::vector<std::string_view> levels{element.content};
  while (!levels.empty()) {
    if (levels.back().empty()) {
      levels.pop_back();
      continue;
    }
    const auto piece = take(levels.back());
    if (!piece || (piece->tag & ~kConstructed) != kOctets) return std::nullopt;
    if ((piece->tag & kConstructed) == 0) {
      joined += piece->content;
    } else if (levels.size() >= kMaxDepth) {
      return std::nullopt;
    } else {
      levels.push_back(piece->content);
    }
  }
  return joined;
}

}  // namespace mxfeed::virus::asn1
