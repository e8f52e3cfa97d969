// SPDX-License-Identifier: GPL-2.0-or-later
//
// A value of tagged fields, as policy.cdb has them: one letter that says what it is, then
// fields in rising order of tag, then tag 0.  A field is tag, length, bytes; tag and
// length are base-128 numbers, lowest digits first.  Numbers are little-endian without
// leading zeros, a double is its eight bytes.  A tag is never given another meaning; a
// new value of an enum needs a new tag, since an older program takes a value that it does
// not know for damage.

#pragma once

#include <bit>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/mail/address.h"
#include "common/policy/block_list.h"
#include "common/policy/scored_list.h"

namespace mxfeed {

void put_varint(std::string& out, std::uint64_t value);
// Each takes what it returns from the front; nothing if it is not there whole.
std::optional<std::uint64_t> take_varint(std::string_view& in);
std::optional<std::string_view> take_bytes(std::string_view& in);  // length, bytes

std::string number_bytes(std::uint64_t value);
std::optional<std::uint64_t> number_of_bytes(std::string_view bytes, std::uint64_t most);

// To be specialised for every enum that is stored.
template <typename Enum>
struct LastValue;

// Called with each field in turn; appends it, and before it the unknown ones that belong
// there.
class TaggedWriter {
 public:
  TaggedWriter(char kind, std::string_view unknown) : out_(1, kind), unknown_(unknown) {}

  template <typename T>
  void operator()(unsigned tag, const T& field) {
    put_unknown(tag);
    put_varint(out_, tag);
    const std::string value = bytes(field);
    put_varint(out_, value.size());
    out_ += value;
  }
  std::string finish() && {
    put_unknown(std::numeric_limits<std::uint64_t>::max());
    out_ += '\0';
    return std::move(out_);
  }

 private:
  static std::string bytes(const std::string& field) { return field; }
  static std::string bytes(const std::vector<std::string>& field) {
    std::string all;
    for (const std::string& text : field) {
      put_varint(all, text.size());
      all += text;
    }
    return all;
  }
  static std::string bytes(const std::vector<Network>& field) {
    std::vector<std::string> texts;
    for (const Network& network : field) texts.push_back(network.str());
    return bytes(texts);
  }
  // Lists that are told by their texts.
  template <typename List>
  requires std::same_as<List, BlockList> || std::same_as<List, ScoredList>
  static std::string bytes(const std::vector<List>& field) {
    std::vector<std::string> texts;
    for (const List& list : field) texts.push_back(list.str());
    return bytes(texts);
  }
  // A type that has a form in bytes of its own.
  template <typename T>
  requires requires(const T& field) {
    { T::from_bytes(field.bytes()) } -> std::same_as<std::optional<T>>;
  }
  static std::string bytes(const T& field) { return field.bytes(); }
  static std::string bytes(std::chrono::seconds field) {
    return number_bytes(static_cast<std::uint64_t>(field.count()));
  }
  static std::string bytes(Time field) { return bytes(field.time_since_epoch()); }
  static std::string bytes(double field) {
    auto bits = std::bit_cast<std::uint64_t>(field);
    std::string all;
    for (int i = 0; i < 8; ++i, bits >>= 8) all += static_cast<char>(bits & 0xFF);
    return all;
  }
  template <typename T>
  requires std::is_enum_v<T> || std::is_integral_v<T>
  static std::string bytes(T field) {
    return number_bytes(static_cast<std::uint64_t>(field));
  }

  void put_unknown(std::uint64_t below) {
    while (!unknown_.empty()) {
      std::string_view rest = unknown_;
      const auto tag = take_varint(rest);
      if (!tag || *tag >= below || !take_bytes(rest)) return;
      out_ += unknown_.substr(0, unknown_.size() - rest.size());
      unknown_ = rest;
    }
  }

  std::string out_;
  std::string_view unknown_;
};

// Called with each field in turn; fills it if the value has it.
class TaggedReader {
 public:
  TaggedReader(char kind, std::string_view in) : in_(in) {
    if (in_.empty() || in_.front() != kind) {
      damaged_ = true;
      return;
    }
    in_.remove_prefix(1);
    next();
  }

  template <typename T>
  void operator()(unsigned tag, T& field) {
    while (!damaged_ && tag_ != 0 && tag_ < tag) keep();
    if (damaged_ || tag_ != tag) return;
    if (!set(field)) damaged_ = true;
    next();
  }
  // Whether all of it was a value; the fields that nobody asked for.
  bool finish(std::string& unknown) {
    while (!damaged_ && tag_ != 0) keep();
    unknown = std::move(unknown_);
    return !damaged_ && in_.empty();
  }

 private:
  void keep() {
    unknown_ += field_;
    next();
  }
  void next() {
    const std::string_view start = in_;
    const auto tag = take_varint(in_);
    if (!tag || (*tag != 0 && *tag <= tag_)) {
      damaged_ = true;
      return;
    }
    tag_ = *tag;
    if (tag_ == 0) return;
    const auto bytes = take_bytes(in_);
    if (bytes) {
      bytes_ = *bytes;
      field_ = start.substr(0, start.size() - in_.size());
    } else {
      damaged_ = true;
    }
  }

  bool set(std::string& field) {
    field = bytes_;
    return true;
  }
  bool set(std::vector<std::string>& field) {
    field.clear();
    for (std::string_view rest = bytes_; !rest.empty();) {
      const auto text = take_bytes(rest);
      if (!text) return false;
      field.emplace_back(*text);
    }
    return true;
  }
  bool set(std::vector<Network>& field) {
    std::vector<std::string> texts;
    if (!set(texts)) return false;
    field.clear();
    for (const std::string& text : texts) {
      const auto network = Network::parse(text);
      if (!network || network->str() != text) return false;
      field.push_back(*network);
    }
    return true;
  }
  template <typename List>
  requires std::same_as<List, BlockList> || std::same_as<List, ScoredList>
  bool set(std::vector<List>& field) {
    std::vector<std::string> texts;
    if (!set(texts)) return false;
    field.clear();
    for (const std::string& text : texts) {
      auto list = List::parse(text);
      if (!list) return false;
      field.push_back(*std::move(list));
    }
    return true;
  }
  template <typename T>
  requires requires(const T& field) {
    { T::from_bytes(field.bytes()) } -> std::same_as<std::optional<T>>;
  }
  bool set(T& field) {
    auto value = T::from_bytes(bytes_);
    if (value) field = *std::move(value);
    return value.has_value();
  }
  bool set(std::chrono::seconds& field) {
    const auto value =
        number_of_bytes(bytes_, std::uint64_t{std::numeric_limits<std::int64_t>::max()});
    if (value) field = std::chrono::seconds(*value);
    return value.has_value();
  }
  bool set(Time& field) {
    // Up to the year 9999: nobody's sum of it overflows.
    const auto value = number_of_bytes(bytes_, 253'402'300'799);
    if (value) field = Time(std::chrono::seconds(*value));
    return value.has_value();
  }
  bool set(double& field) {
    const auto bits = number_of_bytes(bytes_, std::numeric_limits<std::uint64_t>::max());
    if (!bits || bytes_.size() != 8) return false;
    field = std::bit_cast<double>(*bits);
    return std::isfinite(field);
  }
  template <typename T>
  requires std::is_enum_v<T>
  bool set(T& field) {
    const auto value =
        number_of_bytes(bytes_, static_cast<std::uint64_t>(LastValue<T>::value));
    if (value) field = static_cast<T>(*value);
    return value.has_value();
  }
  template <typename T>
  requires std::is_integral_v<T>
  bool set(T& field) {
    const auto value = number_of_bytes(bytes_, std::numeric_limits<T>::max());
    if (value) field = static_cast<T>(*value);
    return value.has_value();
  }

  std::string_view in_;
  std::string_view field_, bytes_;  // the present one: all of it, its content
  std::uint64_t tag_ = 0;
  bool damaged_ = false;
  std::string unknown_;
};

}  // namespace mxfeed
