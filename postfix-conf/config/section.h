// SPDX-License-Identifier: GPL-2.0-or-later
//
// Strict reading of one TOML table: every key is asked for once by its type; what was not
// asked for is an unknown key.  What is wrong is noted with its place and read as absent,
// so that one run finds all of it.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
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
  bool muted = false;  // read again for another purpose: all was noted before
};

// Lives as long as the file and the problems that it was made from.
class Section {
 public:
  // `subject` is what messages call the table: domain "acme.example"; `prefix` stands
  // before its keys: "spam.".
  Section(Problems& problems, TomlNode table, std::string subject,
          std::string prefix = "");

  // The value, whatever it is; marks the key as known.
  std::optional<TomlNode> take(std::string_view key);

  // Nothing if the key is absent or wrong (then noted).
  std::optional<Sourced<bool>> flag(std::string_view key);
  std::optional<Sourced<std::uint64_t>> number(std::string_view key, std::uint64_t least,
                                               std::uint64_t most);
  std::optional<Sourced<std::chrono::seconds>> duration(std::string_view key,
                                                        std::chrono::seconds least,
                                                        std::chrono::seconds most);
  std::optional<Sourced<std::uint64_t>> size(std::string_view key, std::uint64_t least,
                                             std::uint64_t most);
  // Printable ASCII of 1 to `most` characters.
  std::optional<Sourced<std::string>> text(std::string_view key, std::size_t most);
  std::optional<Sourced<double>> real(std::string_view key, double above, double most);
  template <typename E, std::size_t n>
  std::optional<Sourced<E>> one_of(std::string_view key, const std::array<E, n>& values) {
    const auto given = string(key);
    if (!given) return std::nullopt;
    std::string all;
    for (const E value : values) {
      if (word(value) == given->value) return Sourced<E>{value, given->place};
      if (!all.empty()) all += ", ";
      all += word(value);
    }
    not_one_of(key, *given, all);
    return std::nullopt;
  }
  // Strings of the array; nothing if absent or wrong.  Items that are no strings are
  // noted and left out.
  std::optional<std::vector<Sourced<std::string>>> strings(std::string_view key);
  std::optional<Section> table(std::string_view key);
  // The tables of an array of tables.
  std::vector<TomlNode> tables(std::string_view key);

  // Notes every key that nobody asked for.
  void finish();

  void error(std::string_view key, Place place, std::string cause);
  void warn(std::string_view key, Place place, std::string cause);
  // The warning for what a later version will do.
  void warn_no_effect(std::string_view key, Place place);
  void wrong_kind(std::string_view key, TomlNode value, std::string_view wanted);

  Place place() const { return place_; }
  Place place_of(TomlNode value) const { return {problems_.file, value.line()}; }
  const std::string& subject() const { return subject_; }

 private:
  std::optional<Sourced<std::string>> string(std::string_view key);
  void not_one_of(std::string_view key, const Sourced<std::string>& given,
                  const std::string& all);

  Problems& problems_;
  TomlNode table_;
  Place place_;
  std::string subject_;
  std::string prefix_;
  std::vector<std::string_view> known_;  // literals of the callers
};

bool is_printable_ascii(std::string_view text);

}  // namespace mxfeed
