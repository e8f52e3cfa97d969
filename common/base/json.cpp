// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/json.h"

#include <fmt/format.h>

#include <cmath>

#include "common/base/text.h"

namespace mxfeed {
namespace {

// The code point of a valid UTF-8 sequence.
char32_t code_point(std::string_view sequence) {
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned char>(sequence[i]);
  };
  if (sequence.size() == 1) return byte(0);
  char32_t point = byte(0) & (0x7Fu >> sequence.size());
  for (std::size_t i = 1; i < sequence.size(); ++i)
    point = point << 6 | (byte(i) & 0x3Fu);
  return point;
}

// Controls, line and paragraph separators, and what changes the direction of writing; all
// below U+10000.
bool acts_on_terminals(char32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x061C ||
         (point >= 0x200B && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
         (point >= 0x2060 && point <= 0x206F) || point == 0xFEFF;
}

void write_string(std::string& all, std::string_view text) {
  all += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      all += "\xEF\xBF\xBD";
      text.remove_prefix(1);
      continue;
    }
    const std::string_view sequence = text.substr(0, length);
    const char32_t point = code_point(sequence);
    if (point == '"' || point == '\\') {
      all += '\\';
      all += sequence;
    } else if (acts_on_terminals(point)) {
      all += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(point));
    } else {
      all += sequence;
    }
    text.remove_prefix(length);
  }
  all += '"';
}

}  // namespace

Json Json::list() {
  Json json;
  json.value_ = std::vector<Json>();
  return json;
}

Json Json::object() {
  Json json;
  json.value_ = std::vector<std::pair<std::string, Json>>();
  return json;
}

Json& Json::add(Json item) {
  std::get<std::vector<Json>>(value_).push_back(std::move(item));
  return *this;
}

Json& Json::set(std::string_view key, Json value) {
  std::get<std::vector<std::pair<std::string, Json>>>(value_).emplace_back(
      key, std::move(value));
  return *this;
}

std::string Json::str() const {
  std::string text;
  write(text);
  return text;
}

std::string Json::plain() const {
  if (std::holds_alternative<std::nullptr_t>(value_)) return "-";
  if (const bool* const flag = std::get_if<bool>(&value_)) return *flag ? "yes" : "-";
  if (const auto* const text = std::get_if<std::string>(&value_)) {
    return escape_untrusted(*text);
  }
  return str();
}

void Json::write(std::string& text) const {
  struct Writer {
    std::string& text;
    void operator()(std::nullptr_t) const { text += "null"; }
    void operator()(bool value) const { text += value ? "true" : "false"; }
    void operator()(std::int64_t value) const { text += fmt::format("{}", value); }
    void operator()(std::uint64_t value) const { text += fmt::format("{}", value); }
    void operator()(double value) const {
      text += std::isfinite(value) ? fmt::format("{}", value) : "null";
    }
    void operator()(const std::string& value) const { write_string(text, value); }
    void operator()(const std::vector<Json>& items) const {
      std::string_view separator;
      text += '[';
      for (const auto& item : items) {
        text += separator;
        item.write(text);
        separator = ", ";
      }
      text += ']';
    }
    void operator()(const std::vector<std::pair<std::string, Json>>& members) const {
      std::string_view separator;
      text += '{';
      for (const auto& [key, value] : members) {
        text += separator;
        write_string(text, key);
        text += ": ";
        value.write(text);
        separator = ", ";
      }
      text += '}';
    }
  };
  std::visit(Writer{text}, value_);
}

}  // namespace mxfeed
