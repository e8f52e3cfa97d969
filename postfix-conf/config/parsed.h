// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace mxfeed {

// Why a text is not valid, for a message.
struct Wrong {
  std::string cause;
};

// A value that was read from a text, or why there is none.
template <typename T>
class Parsed {
 public:
  Parsed(T value) : result_(std::move(value)) {}
  Parsed(Wrong wrong) : result_(std::move(wrong)) {}

  explicit operator bool() const { return std::holds_alternative<T>(result_); }
  // Only if there is a value.
  const T& operator*() const& { return std::get<T>(result_); }
  T operator*() && { return std::get<T>(std::move(result_)); }
  const T* operator->() const { return &std::get<T>(result_); }
  // Only if there is no value.
  const std::string& cause() const { return std::get<Wrong>(result_).cause; }

 private:
  std::variant<T, Wrong> result_;
};

}  // namespace mxfeed
