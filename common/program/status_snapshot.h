// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a daemon reports about itself: keys in snake_case with their values, in the order
// in which they are shown.

#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mxfeed {

class StatusSnapshot {
 public:
  // Text may come from anywhere: it is escaped, so that it stays on its line.
  StatusSnapshot& add(std::string_view key, std::string_view text);
  StatusSnapshot& add(std::string_view key, const char* text) {
    return add(key, std::string_view(text));
  }
  StatusSnapshot& add(std::string_view key, std::integral auto value) {
    if constexpr (std::same_as<decltype(value), bool>) {
      return add(key, std::string_view(value ? "yes" : "no"));
    } else {
      return add(key, std::string_view(std::to_string(value)));
    }
  }

  const std::vector<std::pair<std::string, std::string>>& entries() const {
    return entries_;
  }
  // Nothing if the key is not there.
  std::optional<std::string_view> find(std::string_view key) const;

  // Lines "key: value".
  std::string to_string() const;
  // Lines that are not of that form are skipped.
  static StatusSnapshot parse(std::string_view text);

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
};

}  // namespace mxfeed
