// SPDX-License-Identifier: GPL-2.0-or-later
//
// Strict reading of one TOML table by the rows of its settings table (setting.h): a key
// without a row is unknown.  An error is noted with its place and the value treated as
// absent, so that one run finds all errors.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/config/config.h"
#include "postfix-conf/config/toml.h"

namespace mxfeed {

// Where problems go while a file is read.
struct Problems {
  std::vector<Problem>& errors;
  std::vector<Problem>& warnings;
  std::uint32_t file;
  bool muted = false;     // while reading again: all problems were noted before
  std::uint32_t row = 0;  // the line of all that is read; 0: each value has its own

  Place place_of(std::uint32_t line) const { return {file, row != 0 ? row : line}; }
};

enum class SettingsOf : std::uint8_t;

// Lives as long as the file, the problems and the texts that it was made from.
class Section {
 public:
  // Messages name the table `kind`, or `kind "name"`: domain "acme.example".
  Section(Problems& problems, TomlNode table, std::string_view kind,
          std::string_view name = {});
  // A table in `outer`, which must outlive it.
  Section(const Section& outer, std::string_view key, TomlNode table);

  // Reads every key that was not taken, each by its row.
  template <typename T>
  void read(std::span<const Setting<T>> rows, SettingsOf kind, T& target);

  // Takes the value, if there is one; read() then skips the key.
  std::optional<TomlNode> take(std::string_view key);
  // The items of [[key]].
  std::vector<Section> take_tables(std::string_view key);
  // Notes every key that was not taken.
  void finish();

  bool has(std::string_view key) const { return table_.member(key).has_value(); }
  TomlNode table() const { return table_; }
  Place place() const { return place_; }
  Place place_of(TomlNode value) const { return problems_.place_of(value.line()); }
  // The place of the key's value, or of the table if there is none.
  Place place_of(std::string_view key) const;

  // With an empty key the problem is that of the table.
  void error(std::string_view key, Place place, std::string cause) const;
  void warn(std::string_view key, Place place, std::string cause) const;
  void wrong_kind(std::string_view key, TomlNode value, std::string_view wanted) const;
  // The key with the tables that it is in, as messages name it.
  std::string path(std::string_view key) const;

 private:
  bool is_taken(std::string_view key) const;
  void unknown(std::string_view key, std::uint32_t line,
               const std::vector<std::string_view>& known) const;
  std::string subject() const;

  Problems& problems_;
  TomlNode table_;
  Place place_;
  std::string_view kind_;
  std::string_view name_;
  const Section* outer_ = nullptr;
  std::string_view key_;                 // in `outer`
  std::vector<std::string_view> taken_;  // literals from callers
};

// A key and its value.  Each reader returns nothing if the value is wrong, and notes why.
class Entry {
 public:
  Entry(const Section& section, std::string_view key, TomlNode value)
      : section_(section), key_(key), value_(value) {}

  std::string_view key() const { return key_; }
  TomlNode value() const { return value_; }
  TomlNode::Kind kind() const { return value_.kind(); }
  Place place() const { return section_.place_of(value_); }

  std::optional<bool> flag() const;
  std::optional<std::uint64_t> number(std::uint64_t least, std::uint64_t most) const;
  std::optional<double> real(double above, double most) const;
  std::optional<std::chrono::seconds> duration(std::chrono::seconds least,
                                               std::chrono::seconds most) const;
  std::optional<std::uint64_t> size(std::uint64_t least, std::uint64_t most) const;
  // A point in time: of TOML, or a string; with a zone.
  std::optional<Time> time() const;
  std::optional<std::string_view> string() const;
  // Printable ASCII of 1 to `most` characters.
  std::optional<std::string_view> text(std::size_t most) const;
  template <typename E, std::size_t n>
  std::optional<E> one_of(const std::array<E, n>& values) const {
    const auto given = string();
    if (!given) return std::nullopt;
    std::array<std::string_view, n> words;
    for (std::size_t i = 0; i < n; ++i) {
      words[i] = to_string(values[i]);
      if (words[i] == *given) return values[i];
    }
    not_one_of(*given, words);
    return std::nullopt;
  }
  // The items of an array; items that are not strings are noted and left out.
  std::optional<std::vector<Sourced<std::string_view>>> strings() const;
  std::optional<Section> table() const;
  // The items of [[key]].
  std::vector<Section> tables() const;

  void error(std::string cause) const { section_.error(key_, place(), std::move(cause)); }
  void error(Place place, std::string cause) const {
    section_.error(key_, place, std::move(cause));
  }
  void wrong_kind(std::string_view wanted) const {
    section_.wrong_kind(key_, value_, wanted);
  }
  void not_one_of(std::string_view given, std::span<const std::string_view> words) const;
  // Warns that the key is for a later version.
  void warn_no_effect() const;
  void warn(std::string cause) const { section_.warn(key_, place(), std::move(cause)); }

 private:
  const Section& section_;
  std::string_view key_;
  TomlNode value_;
};

// What the operator wrote, for a message: printable, in quotes, cut if it is long.
std::string in_quotes(std::string_view text);
// The shortest exact form that parse_size() takes: 50M.
std::string format_size(std::uint64_t bytes);
// "a", "b" or "c"
std::string alternatives(std::span<const std::string_view> words);

}  // namespace mxfeed
