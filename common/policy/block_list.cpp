// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/block_list.h"

#include <algorithm>

#include "common/base/text.h"

namespace mxfeed {
namespace {

// A number up to 255, or a range of them: "2", "2..11".
std::optional<std::pair<std::uint8_t, std::uint8_t>> octets_of(std::string_view text) {
  const auto dots = text.find("..");
  const auto first = parse_unsigned(text.substr(0, dots));
  const auto last = dots == text.npos ? first : parse_unsigned(text.substr(dots + 2));
  if (!first || !last || *first > *last || *last > 255) return std::nullopt;
  return std::pair(static_cast<std::uint8_t>(*first), static_cast<std::uint8_t>(*last));
}

// Takes an octet of the mask from the front: what is in its brackets, or its number.
std::optional<std::string_view> take_octet(std::string_view& text) {
  if (!text.starts_with('[')) {
    const auto octet = text.substr(0, text.find('.'));
    if (octet.find(';') != octet.npos) return std::nullopt;
    text.remove_prefix(octet.size());
    return octet;
  }
  const auto end = text.find(']');
  if (end == text.npos) return std::nullopt;
  const auto octet = text.substr(1, end - 1);
  text.remove_prefix(end + 1);
  return octet;
}

}  // namespace

std::optional<BlockList::Mask> BlockList::parse_mask(std::string_view text) {
  Mask mask;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (i > 0) {
      if (!text.starts_with('.')) return std::nullopt;
      text.remove_prefix(1);
    }
    const auto octet = take_octet(text);
    if (!octet) return std::nullopt;
    for (const auto one : split(*octet, ';')) {
      const auto range = octets_of(one);
      if (!range) return std::nullopt;
      mask[i].push_back(*range);
    }
  }
  const bool is_local = mask[0] == std::vector{Range{127, 127}};
  if (!text.empty() || !is_local) return std::nullopt;
  return mask;
}

bool BlockList::is_mask(std::string_view text) {
  return parse_mask(text).has_value();
}

std::optional<BlockList> BlockList::parse(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == text.npos || equals == 0) return std::nullopt;
  auto mask = parse_mask(text.substr(equals + 1));
  if (!mask) return std::nullopt;
  BlockList list;
  list.text_ = text;
  list.mask_ = *std::move(mask);
  return list;
}

bool BlockList::counts(const IpAddress& answer) const {
  if (!answer.is_v4()) return false;
  const std::string octets = answer.octets();
  for (std::size_t i = 0; i < mask_.size(); ++i) {
    const auto octet = static_cast<std::uint8_t>(octets[i]);
    const bool is_in = std::ranges::any_of(mask_[i], [octet](const Range& range) {
      return range.first <= octet && octet <= range.second;
    });
    if (!is_in) return false;
  }
  return true;
}

}  // namespace mxfeed
