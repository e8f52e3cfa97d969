// SPDX-License-Identifier: GPL-2.0-or-later
//
// A TOML file, read.  Keeps toml++ out of every other file.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>

#include "postfix-conf/config/encoding.h"

namespace mxfeed {

// A value in a TomlFile, valid as long as that.  Cheap to copy.
class TomlNode {
 public:
  enum class Kind { string, integer, real, boolean, time, array, table };

  explicit TomlNode(const void* node) : node_(node) {}

  Kind kind() const;
  std::uint32_t line() const;
  // Each needs a node of its kind.
  std::string_view string() const;
  std::int64_t integer() const;
  double real() const;
  bool boolean() const;
  // The items of an array, in order.
  void each_item(const std::function<void(TomlNode)>& item) const;
  // The members of a table, in no particular order, with the line of the key.
  void each_member(const std::function<void(std::string_view key, std::uint32_t line,
                                            TomlNode value)>& member) const;
  std::optional<TomlNode> member(std::string_view key) const;

 private:
  const void* node_;
};

// "a string", "a table", ...
std::string_view name_of(TomlNode::Kind kind);

class TomlFile {
 public:
  // The table of the whole file, or why it is not TOML.
  static std::variant<TomlFile, SyntaxError> parse(std::string_view text);
  ~TomlFile();
  TomlFile(TomlFile&&) noexcept;
  TomlFile& operator=(TomlFile&&) noexcept;

  TomlNode root() const;

 private:
  struct Impl;
  explicit TomlFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxfeed
