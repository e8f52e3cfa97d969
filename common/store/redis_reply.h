// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a Redis server replies.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/fault.h"

namespace mxfeed {

// A value.  Each reader throws Fault if the value is of another type: servers are not
// trusted to keep to the manual.
class RedisReply {
 public:
  using List = std::vector<RedisReply>;

  RedisReply() = default;  // nil
  explicit RedisReply(std::string text) : value_(std::move(text)) {}
  explicit RedisReply(std::int64_t number) : value_(number) {}
  explicit RedisReply(List list) : value_(std::move(list)) {}

  bool is_nil() const { return std::holds_alternative<std::monostate>(value_); }
  // A string of any bytes, or a status such as "OK".
  const std::string& text() const;
  std::int64_t number() const;
  const List& list() const;

 private:
  std::variant<std::monostate, std::string, std::int64_t, List> value_;
};

// The server has refused the command; the connection can still be used.
class RedisError : public Fault {
 public:
  // `text` is the error as received, such as "MOVED 3999 192.0.2.7:6379".
  RedisError(std::string_view server, std::string_view text);

  // The words of the error, of which the first is its code; empty if there are fewer.
  std::string_view word(unsigned index) const;
  std::string_view code() const { return word(0); }

 private:
  std::string text_;
};

}  // namespace mxfeed
