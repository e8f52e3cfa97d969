// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads JSON: as much of RFC 8259 as Postfix's programs write.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/text.h"

namespace mxfeed {

// Scans JSON text, which must outlive it.  What is taken is skipped, with the blanks
// before it; nothing or false if something else stands there.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : rest_(text) {}

  char peek() {
    while (!rest_.empty() &&
           std::string_view(" \t\r\n").find(rest_.front()) != std::string_view::npos) {
      rest_.remove_prefix(1);
    }
    return rest_.empty() ? '\0' : rest_.front();
  }
  bool take(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // A string, unescaped.
  std::optional<std::string> string() {
    if (!take('"')) return std::nullopt;
    std::string value;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return value;
      if (c != '\\') {
        value += c;
        continue;
      }
      if (rest_.empty()) return std::nullopt;
      const char escaped = rest_.front();
      rest_.remove_prefix(1);
      if (escaped == 'u') {
        if (rest_.size() < 4) return std::nullopt;
        value += '?';  // a control character, which no domain contains
        rest_.remove_prefix(4);
      } else {
        value += escaped;
      }
    }
    return std::nullopt;
  }
  // A number without sign, fraction or exponent.
  std::optional<std::uint64_t> unsigned_number() {
    peek();
    const auto value = parse_unsigned(rest_.substr(0, token_length()));
    if (value) rest_.remove_prefix(token_length());
    return value;
  }
  std::optional<bool> boolean() {
    peek();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "true" : "false";
      if (rest_.substr(0, token_length()) != word) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    return std::nullopt;
  }
  // Skips any value.
  bool skip(int depth = 0) {
    if (depth > 16) return false;
    switch (peek()) {
      case '"':
        return string().has_value();
      case '{':
        return members([&](const std::string&) { return skip(depth + 1); });
      case '[':
        return items([&] { return skip(depth + 1); });
      default: {
        const auto length = token_length();
        rest_.remove_prefix(length);
        return length > 0;
      }
    }
  }
  // An object: take_value(key) takes a value, and says whether it could.
  template <typename Take>
  bool members(Take take_value) {
    if (!take('{')) return false;
    if (take('}')) return true;
    do {
      const auto key = string();
      if (!key || !take(':') || !take_value(*key)) return false;
    } while (take(','));
    return take('}');
  }
  // An array: take_item() takes an item, and says whether it could.
  template <typename Take>
  bool items(Take take_item) {
    if (!take('[')) return false;
    if (take(']')) return true;
    do {
      if (!take_item()) return false;
    } while (take(','));
    return take(']');
  }

 private:
  std::size_t token_length() const {
    return std::min(rest_.find_first_of(",]} \t\r\n"), rest_.size());
  }
  std::string_view rest_;
};

}  // namespace mxfeed
