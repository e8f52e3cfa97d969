// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/json.h"

#include <fmt/format.h>

#include <cmath>

#include "common/base/text.h"

namespace mxfeed {
namespace {

// RFC 8259, 7: beyond U+FFFF as a surrogate pair.
void write_escape(std::string& all, char32_t point) {
  const auto write = [&](char32_t unit) {
    all += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(unit));
  };
  if (point < 0x10000) {
    write(point);
  } else {
    write(0xD800 + ((point - 0x10000) >> 10));
    write(0xDC00 + ((point - 0x10000) & 0x3FF));
  }
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
    if (text.front() == '"' || text.front() == '\\') {
      all += '\\';
      all += sequence;
    } else if (printable_length(text) == 0) {
      write_escape(all, code_point(sequence));
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
