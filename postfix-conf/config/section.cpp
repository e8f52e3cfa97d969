// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/section.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/nearest.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMaxShown = 80;

// A value of the user in a message.
std::string in_quotes(std::string_view text) {
  const bool cut = text.size() > kMaxShown;
  return fmt::format("\"{}{}\"", escape_untrusted(text.substr(0, kMaxShown)),
                     cut ? "..." : "");
}

}  // namespace

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c <= '~'; });
}

Section::Section(Problems& problems, TomlNode table, std::string subject,
                 std::string prefix)
    : problems_(problems),
      table_(table),
      place_{problems.file, table.line()},
      subject_(std::move(subject)),
      prefix_(std::move(prefix)) {}

std::optional<TomlNode> Section::take(std::string_view key) {
  known_.push_back(key);
  return table_.member(key);
}

void Section::error(std::string_view key, Place place, std::string cause) {
  if (problems_.muted) return;
  problems_.errors.push_back(
      {place, subject_, key.empty() ? "" : prefix_ + std::string(key), std::move(cause)});
}

void Section::warn(std::string_view key, Place place, std::string cause) {
  if (problems_.muted) return;
  problems_.warnings.push_back(
      {place, subject_, prefix_ + std::string(key), std::move(cause)});
}

void Section::warn_no_effect(std::string_view key, Place place) {
  warn(key, place, "accepted but has no effect in this version");
}

void Section::wrong_kind(std::string_view key, TomlNode value, std::string_view wanted) {
  error(key, place_of(value),
        fmt::format("must be {}, not {}", wanted, name_of(value.kind())));
}

std::optional<Sourced<bool>> Section::flag(std::string_view key) {
  const auto value = take(key);
  if (!value) return std::nullopt;
  if (value->kind() != TomlNode::Kind::boolean) {
    wrong_kind(key, *value, "true or false");
    return std::nullopt;
  }
  return Sourced<bool>{value->boolean(), place_of(*value)};
}

std::optional<Sourced<std::uint64_t>> Section::number(std::string_view key,
                                                      std::uint64_t least,
                                                      std::uint64_t most) {
  const auto value = take(key);
  if (!value) return std::nullopt;
  if (value->kind() != TomlNode::Kind::integer) {
    wrong_kind(key, *value, "an integer");
    return std::nullopt;
  }
  const auto given = value->integer();
  if (given < 0 || static_cast<std::uint64_t>(given) < least ||
      static_cast<std::uint64_t>(given) > most) {
    error(key, place_of(*value),
          fmt::format("must be from {} to {}, not {}", least, most, given));
    return std::nullopt;
  }
  return Sourced<std::uint64_t>{static_cast<std::uint64_t>(given), place_of(*value)};
}

std::optional<Sourced<double>> Section::real(std::string_view key, double above,
                                             double most) {
  const auto value = take(key);
  if (!value) return std::nullopt;
  if (value->kind() != TomlNode::Kind::real && value->kind() != TomlNode::Kind::integer) {
    wrong_kind(key, *value, "a number");
    return std::nullopt;
  }
  const double given = value->kind() == TomlNode::Kind::real
                           ? value->real()
                           : static_cast<double>(value->integer());
  if (!(given > above && given <= most)) {
    error(key, place_of(*value),
          fmt::format("must be above {} and at most {}, not {}", above, most, given));
    return std::nullopt;
  }
  return Sourced<double>{given, place_of(*value)};
}

std::optional<Sourced<std::string>> Section::string(std::string_view key) {
  const auto value = take(key);
  if (!value) return std::nullopt;
  if (value->kind() != TomlNode::Kind::string) {
    wrong_kind(key, *value, "a string");
    return std::nullopt;
  }
  return Sourced<std::string>{std::string(value->string()), place_of(*value)};
}

std::optional<Sourced<std::string>> Section::text(std::string_view key,
                                                  std::size_t most) {
  auto given = string(key);
  if (!given) return std::nullopt;
  if (given->value.empty()) {
    error(key, given->place, "must not be empty");
  } else if (given->value.size() > most) {
    error(key, given->place, fmt::format("longer than {} characters", most));
  } else if (!is_printable_ascii(given->value)) {
    error(key, given->place,
          fmt::format("{} has characters other than printable ASCII",
                      in_quotes(given->value)));
  } else {
    return given;
  }
  return std::nullopt;
}

std::optional<Sourced<std::chrono::seconds>> Section::duration(
    std::string_view key, std::chrono::seconds least, std::chrono::seconds most) {
  const auto given = string(key);
  if (!given) return std::nullopt;
  const auto parsed = parse_duration(given->value);
  if (!parsed) {
    error(key, given->place,
          fmt::format("{} is no duration: a number and s, m, h, d or w, such as \"2d\"",
                      in_quotes(given->value)));
    return std::nullopt;
  }
  if (*parsed < least || *parsed > most) {
    error(key, given->place,
          fmt::format("must be from {} to {}, not {}", format_duration(least),
                      format_duration(most), format_duration(*parsed)));
    return std::nullopt;
  }
  return Sourced<std::chrono::seconds>{*parsed, given->place};
}

std::optional<Sourced<std::uint64_t>> Section::size(std::string_view key,
                                                    std::uint64_t least,
                                                    std::uint64_t most) {
  const auto given = string(key);
  if (!given) return std::nullopt;
  const auto parsed = parse_size(given->value);
  if (!parsed) {
    error(key, given->place,
          fmt::format("{} is no size: a number and K, M or G, such as \"50M\"",
                      in_quotes(given->value)));
    return std::nullopt;
  }
  if (*parsed < least || *parsed > most) {
    error(key, given->place,
          fmt::format("must be from {} to {} bytes, not {}", least, most, *parsed));
    return std::nullopt;
  }
  return Sourced<std::uint64_t>{*parsed, given->place};
}

void Section::not_one_of(std::string_view key, const Sourced<std::string>& given,
                         const std::string& all) {
  error(key, given.place, fmt::format("{} is none of {}", in_quotes(given.value), all));
}

std::optional<std::vector<Sourced<std::string>>> Section::strings(std::string_view key) {
  const auto value = take(key);
  if (!value) return std::nullopt;
  if (value->kind() != TomlNode::Kind::array) {
    wrong_kind(key, *value, "an array of strings");
    return std::nullopt;
  }
  std::vector<Sourced<std::string>> all;
  value->each_item([&](TomlNode item) {
    if (item.kind() == TomlNode::Kind::string) {
      all.push_back({std::string(item.string()), place_of(item)});
    } else {
      wrong_kind(key, item, "an array of strings");
    }
  });
  return all;
}

std::optional<Section> Section::table(std::string_view key) {
  const auto value = take(key);
  if (!value) return std::nullopt;
  if (value->kind() != TomlNode::Kind::table) {
    wrong_kind(key, *value, "a table");
    return std::nullopt;
  }
  return Section(problems_, *value, subject_, prefix_ + std::string(key) + ".");
}

std::vector<TomlNode> Section::tables(std::string_view key) {
  std::vector<TomlNode> all;
  const auto value = take(key);
  if (!value) return all;
  if (value->kind() != TomlNode::Kind::array) {
    error(key, place_of(*value),
          fmt::format("must be written as [[{}{}]], not {}", prefix_, key,
                      name_of(value->kind())));
    return all;
  }
  value->each_item([&](TomlNode item) {
    if (item.kind() == TomlNode::Kind::table) {
      all.push_back(item);
    } else {
      wrong_kind(key, item, "tables");
    }
  });
  return all;
}

void Section::finish() {
  table_.each_member([&](std::string_view key, std::uint32_t line, TomlNode) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) return;
    const auto meant = nearest(key, known_);
    error(escape_untrusted(key.substr(0, kMaxShown)), Place{problems_.file, line},
          meant.empty() ? std::string("unknown key")
                        : fmt::format("unknown key; did you mean \"{}\"?", meant));
  });
}

}  // namespace mxfeed
