// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads a TOML file, or a table in JSON.  Hides toml++ from the files that read tables.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>

#include "common/base/clock.h"
#include "postfix-conf/config/encoding.h"

namespace mxfeed {

// A value in a TomlFile, valid as long as that.  Cheap to copy.
class TomlNode {
 public:
  enum class Kind { string, integer, real, boolean, time, array, table };

  explicit TomlNode(const void* node) : node_(node) {}

  Kind kind() const;
  std::uint32_t line() const;
  // Each may only be called for its kind.
  std::string_view string() const;
  std::int64_t integer() const;
  double real() const;
  bool boolean() const;
  // A date and time with its offset; nothing without an offset.
  std::optional<Time> time() const;
  // item(TomlNode): the items of an array, in order.
  template <typename F>
  void each_item(F item) const {
    visit_items([](void* f, TomlNode value) { (*static_cast<F*>(f))(value); }, &item);
  }
  // member(std::string_view key, std::uint32_t line, TomlNode value): the members of a
  // table, in no particular order, with the line of the key.
  template <typename F>
  void each_member(F member) const {
    visit_members([](void* f, std::string_view key, std::uint32_t line,
                     TomlNode value) { (*static_cast<F*>(f))(key, line, value); },
                  &member);
  }
  std::optional<TomlNode> member(std::string_view key) const;

 private:
  using VisitItem = void (*)(void* context, TomlNode value);
  using VisitMember = void (*)(void* context, std::string_view key, std::uint32_t line,
                               TomlNode value);
  void visit_items(VisitItem visit, void* context) const;
  void visit_members(VisitMember visit, void* context) const;

  const void* node_;
};

// "a string", "a table", ...
std::string_view name_of(TomlNode::Kind kind);

class TomlFile {
 public:
  // Returns the file, or why it is not TOML.
  static std::variant<TomlFile, SyntaxError> parse(std::string_view text);
  // The same for a table that is written as an object of JSON (RFC 8259).  Its values
  // have line 0; a member that is null counts as absent.
  static std::variant<TomlFile, SyntaxError> parse_json(std::string_view text);
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
