// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds a field in the header of a queued message.  Pure.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mxfeed {

// Takes any lines.
class OnlyField {
 public:
  // A longer header is not read to its end.
  static constexpr std::size_t kMostHeader = std::size_t{4} << 20;

  explicit OnlyField(std::string name) : name_(std::move(name)) {}

  // The next line of the header.
  void add(std::string_view line);

  // The header is longer than kMostHeader.
  bool is_too_long() const { return size_ > kMostHeader; }

  // The value, unfolded; nothing if there is no such field, more than one, or the header
  // is too long.
  std::optional<std::string> value() const;

 private:
  const std::string name_;
  std::string value_;
  std::size_t size_ = 0;
  std::size_t count_ = 0;
  bool is_inside_ = false;
};

}  // namespace mxfeed
