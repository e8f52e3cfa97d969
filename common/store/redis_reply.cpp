// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/store/redis_reply.h"

#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMostShown = 200;

template <typename T, typename Value>
const T& as(const Value& value, std::string_view wanted) {
  if (const T* const found = std::get_if<T>(&value)) return *found;
  throw Fault("read a reply of Redis", wanted, "is of another type");
}

}  // namespace

const std::string& RedisReply::text() const {
  return as<std::string>(value_, "string");
}

std::int64_t RedisReply::number() const {
  return as<std::int64_t>(value_, "integer");
}

const RedisReply::List& RedisReply::list() const {
  return as<List>(value_, "array");
}

RedisError::RedisError(std::string_view server, std::string_view text)
    : Fault("ask Redis", server, escape_line(text.substr(0, kMostShown))), text_(text) {}

std::string_view RedisError::word(unsigned index) const {
  const auto words = split(text_, ' ');
  return index < words.size() ? words[index] : std::string_view();
}

}  // namespace mxfeed
