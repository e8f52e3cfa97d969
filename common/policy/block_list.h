// SPDX-License-Identifier: GPL-2.0-or-later
//
// A DNS block list (RFC 5782) with a mask of the answers that count, in Postfix's form:
// "zen.example=127.0.0.[2..11]".

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/mail/address.h"

namespace mxfeed {

class BlockList {
 public:
  // Nothing if it is none.
  static std::optional<BlockList> parse(std::string_view text);
  // Whether the text is a mask: four octets, each a number or "[2;4..11]", the first 127.
  static bool is_mask(std::string_view text);

  const std::string& str() const { return text_; }

  std::string_view zone() const {
    return std::string_view(text_).substr(0, text_.find('='));
  }
  // Whether the answer says that the client is listed.
  bool counts(const IpAddress& answer) const;

  bool operator==(const BlockList&) const = default;

 private:
  using Range = std::pair<std::uint8_t, std::uint8_t>;
  using Mask = std::array<std::vector<Range>, 4>;
  static std::optional<Mask> parse_mask(std::string_view text);

  BlockList() = default;
  std::string text_;
  Mask mask_;
};

}  // namespace mxfeed
