// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/section.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/nearest.h"
#include "common/base/text.h"
#include "common/base/time_text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMaxShown = 80;

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

std::string in_quotes(std::string_view text) {
  const bool cut = text.size() > kMaxShown;
  return fmt::format("\"{}{}\"", escape_untrusted(text.substr(0, kMaxShown)),
                     cut ? "..." : "");
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::string_view kUnits = "KMG";
  std::size_t unit = 0;
  while (bytes > 0 && bytes % 1024 == 0 && unit < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{}{}", bytes, unit == 0 ? "" : kUnits.substr(unit - 1, 1));
}

std::string alternatives(std::span<const std::string_view> words) {
  std::string all;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) all += i + 1 == words.size() ? " or " : ", ";
    all += fmt::format("\"{}\"", words[i]);
  }
  return all;
}

// ---- Section

Section::Section(Problems& problems, TomlNode table, std::string_view kind,
                 std::string_view name)
    : problems_(problems),
      table_(table),
      place_(problems.place_of(table.line())),
      kind_(kind),
      name_(name) {}

Section::Section(const Section& outer, std::string_view key, TomlNode table)
    : problems_(outer.problems_),
      table_(table),
      place_(outer.place_of(table)),
      outer_(&outer),
      key_(key) {}

std::optional<TomlNode> Section::take(std::string_view key) {
  taken_.push_back(key);
  return table_.member(key);
}

std::vector<Section> Section::take_tables(std::string_view key) {
  const auto value = take(key);
  return value ? Entry(*this, key, *value).tables() : std::vector<Section>();
}

void Section::finish() {
  table_.each_member([&](std::string_view key, std::uint32_t line, TomlNode) {
    if (!is_taken(key)) unknown(key, line, taken_);
  });
}

bool Section::is_taken(std::string_view key) const {
  return std::find(taken_.begin(), taken_.end(), key) != taken_.end();
}

Place Section::place_of(std::string_view key) const {
  const auto value = table_.member(key);
  return value ? place_of(*value) : place_;
}

void Section::unknown(std::string_view key, std::uint32_t line,
                      const std::vector<std::string_view>& known) const {
  const auto meant = nearest(key, known);
  error(escape_untrusted(key.substr(0, kMaxShown)), problems_.place_of(line),
        meant.empty() ? std::string("unknown key")
                      : fmt::format("unknown key; did you mean \"{}\"?", meant));
}

// Begins with the outermost table.
std::string Section::path(std::string_view key) const {
  std::string all(key);
  for (const auto* table = this; table->outer_ != nullptr; table = table->outer_) {
    all.insert(0, std::string(table->key_) + (all.empty() ? "" : "."));
  }
  return all;
}

std::string Section::subject() const {
  const Section* table = this;
  while (table->outer_ != nullptr) table = table->outer_;
  return table->name_.empty() ? std::string(table->kind_)
                              : fmt::format("{} \"{}\"", table->kind_, table->name_);
}

void Section::error(std::string_view key, Place place, std::string cause) const {
  if (problems_.muted) return;
  problems_.errors.push_back({place, subject(), path(key), std::move(cause)});
}

void Section::warn(std::string_view key, Place place, std::string cause) const {
  if (problems_.muted) return;
  problems_.warnings.push_back({place, subject(), path(key), std::move(cause)});
}

void Section::wrong_kind(std::string_view key, TomlNode value,
                         std::string_view wanted) const {
  error(key, place_of(value),
        fmt::format("must be {}, not {}", wanted, name_of(value.kind())));
}

// ---- Entry

void Entry::warn_no_effect() const {
  warn("accepted but has no effect in this version");
}

void Entry::not_one_of(std::string_view given,
                       std::span<const std::string_view> words) const {
  const auto meant = nearest(given, {words.begin(), words.end()});
  error(fmt::format("must be {}, not {}{}", alternatives(words), in_quotes(given),
                    meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant)));
}

std::optional<bool> Entry::flag() const {
  if (kind() == TomlNode::Kind::boolean) return value_.boolean();
  wrong_kind("true or false");
  return std::nullopt;
}

std::optional<std::uint64_t> Entry::number(std::uint64_t least,
                                           std::uint64_t most) const {
  if (kind() != TomlNode::Kind::integer) {
    wrong_kind("an integer");
    return std::nullopt;
  }
  const auto given = value_.integer();
  if (given >= 0 && static_cast<std::uint64_t>(given) >= least &&
      static_cast<std::uint64_t>(given) <= most) {
    return static_cast<std::uint64_t>(given);
  }
  error(fmt::format("must be from {} to {}, not {}", least, most, given));
  return std::nullopt;
}

std::optional<double> Entry::real(double above, double most) const {
  double given = 0;
  if (kind() == TomlNode::Kind::real) {
    given = value_.real();
  } else if (kind() == TomlNode::Kind::integer) {
    given = static_cast<double>(value_.integer());
  } else {
    wrong_kind("a number");
    return std::nullopt;
  }
  if (given > above && given <= most) return given;
  error(fmt::format("must be above {} and at most {}, not {}", above, most, given));
  return std::nullopt;
}

std::optional<std::string_view> Entry::string() const {
  if (kind() == TomlNode::Kind::string) return value_.string();
  wrong_kind("a string");
  return std::nullopt;
}

std::optional<std::string_view> Entry::text(std::size_t most) const {
  const auto given = string();
  if (!given) return std::nullopt;
  if (given->empty()) {
    error("must not be empty");
  } else if (given->size() > most) {
    error(fmt::format("must not be longer than {} characters", most));
  } else if (!is_printable_ascii(*given)) {
    error(fmt::format("must be printable ASCII, not {}", in_quotes(*given)));
  } else {
    return given;
  }
  return std::nullopt;
}

std::optional<std::chrono::seconds> Entry::duration(std::chrono::seconds least,
                                                    std::chrono::seconds most) const {
  if (kind() == TomlNode::Kind::integer) {
    error(fmt::format("must be a string with a unit, such as \"{}s\"", value_.integer()));
    return std::nullopt;
  }
  const auto given = string();
  if (!given) return std::nullopt;
  const auto parsed = parse_duration(*given);
  if (!parsed) {
    error(fmt::format("must be a number with s, m, h, d or w, such as \"2d\", not {}",
                      in_quotes(*given)));
    return std::nullopt;
  }
  if (*parsed >= least && *parsed <= most) return parsed;
  error(fmt::format("must be from {} to {}, not {}", format_duration(least),
                    format_duration(most), format_duration(*parsed)));
  return std::nullopt;
}

std::optional<std::uint64_t> Entry::size(std::uint64_t least, std::uint64_t most) const {
  if (kind() == TomlNode::Kind::integer) {
    error(fmt::format("must be a string, such as \"{}\" (bytes) or \"50M\"",
                      value_.integer()));
    return std::nullopt;
  }
  const auto given = string();
  if (!given) return std::nullopt;
  const auto parsed = parse_size(*given);
  if (!parsed) {
    error(
        fmt::format("must be a number of bytes, or a number with K, M or G such as "
                    "\"50M\", not {}",
                    in_quotes(*given)));
    return std::nullopt;
  }
  if (*parsed >= least && *parsed <= most) return parsed;
  error(fmt::format("must be from {} to {}, not {}", format_size(least),
                    format_size(most), format_size(*parsed)));
  return std::nullopt;
}

std::optional<Time> Entry::time() const {
  constexpr std::string_view kWanted =
      "must be a date and time with a time zone, such as \"2026-12-05T18:00:00+01:00\"";
  if (kind() == TomlNode::Kind::time) {
    auto given = value_.time();
    if (!given) error(fmt::format("{}; a date or time alone is ambiguous", kWanted));
    return given;
  }
  if (kind() != TomlNode::Kind::string) {
    wrong_kind("a date and time");
    return std::nullopt;
  }
  auto given = parse_time(value_.string());
  if (!given) error(fmt::format("{}, not {}", kWanted, in_quotes(value_.string())));
  return given;
}

std::optional<std::vector<Sourced<std::string_view>>> Entry::strings() const {
  if (kind() != TomlNode::Kind::array) {
    wrong_kind("an array of strings");
    return std::nullopt;
  }
  std::vector<Sourced<std::string_view>> all;
  value_.each_item([&](TomlNode item) {
    if (item.kind() == TomlNode::Kind::string) {
      all.push_back({item.string(), section_.place_of(item)});
    } else {
      section_.wrong_kind(key_, item, "an array of strings");
    }
  });
  return all;
}

std::optional<Section> Entry::table() const {
  if (kind() == TomlNode::Kind::table) return Section(section_, key_, value_);
  wrong_kind("a table");
  return std::nullopt;
}

std::vector<Section> Entry::tables() const {
  std::vector<Section> all;
  if (kind() != TomlNode::Kind::array) {
    error(fmt::format("must be written as [[{}]], not {}", section_.path(key_),
                      name_of(kind())));
    return all;
  }
  value_.each_item([&](TomlNode item) {
    if (item.kind() == TomlNode::Kind::table) {
      all.emplace_back(section_, key_, item);
    } else {
      section_.wrong_kind(key_, item, "a table");
    }
  });
  return all;
}

}  // namespace mxfeed
