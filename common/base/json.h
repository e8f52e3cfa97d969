// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes JSON (RFC 8259): booleans, numbers and lists keep their type.
//
//   Json row = Json::object();
//   row.set("domain", name).set("relayed", true).set("customer", nullptr);
//   row.set("servers", Json::list().add("[192.0.2.7]:25"));
//   fmt::print("{}\n", row.str());

#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace mxfeed {

class Json {
 public:
  // null.
  Json() = default;
  Json(std::nullptr_t) {}
  template <typename T>
  requires std::is_arithmetic_v<T> Json(T number) {
    if constexpr (std::is_same_v<T, bool>) {
      value_ = number;
    } else if constexpr (std::floating_point<T>) {
      value_ = static_cast<double>(number);
    } else if constexpr (std::is_signed_v<T>) {
      value_ = static_cast<std::int64_t>(number);
    } else {
      value_ = static_cast<std::uint64_t>(number);
    }
  }
  // Takes any bytes; what is not UTF-8 is written as U+FFFD.
  Json(std::string text) : value_(std::move(text)) {}
  Json(std::string_view text) : value_(std::string(text)) {}
  Json(const char* text) : value_(std::string(text)) {}
  // The value, or null.
  template <typename T>
  Json(const std::optional<T>& value) {
    if (value) *this = Json(*value);
  }

  static Json list();
  static Json object();

  // Appends to a list; the value must be one.
  Json& add(Json item);
  // Appends a member to an object; the value must be one, and the key new.  Members keep
  // the order of the calls.
  Json& set(std::string_view key, Json value);

  // The text, on one line, in UTF-8.  Control characters, and characters that reorder
  // text or break lines on a terminal, are written as \uXXXX.  A number that is not
  // finite is null.
  std::string str() const;
  // A single value for people: text is escaped for terminals, true is "yes", false and
  // null are "-".
  std::string plain() const;

 private:
  using Value =
      std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string,
                   std::vector<Json>, std::vector<std::pair<std::string, Json>>>;
  void write(std::string& text) const;
  Value value_ = nullptr;
};

}  // namespace mxfeed
