// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/toml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "common/base/text.h"
#include "common/base/toml_string.h"

namespace mxfeed {
namespace {

// With a point: 1.0 is another type than 1.
std::string toml_real(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::optional<std::string> toml_array(TomlNode value) {
  std::vector<std::string> items;
  bool is_whole = true;
  value.each_item([&](TomlNode item) {
    const auto text = toml_value(item);
    is_whole = is_whole && text;
    items.push_back(text.value_or(""));
  });
  if (!is_whole) return std::nullopt;
  return fmt::format("[{}]", fmt::join(items, ", "));
}

std::optional<std::string> toml_table(TomlNode value) {
  std::map<std::string_view, std::string> members;
  bool is_whole = true;
  value.each_member([&](std::string_view key, std::uint32_t, TomlNode member) {
    const auto text = toml_value(member);
    is_whole = is_whole && text;
    members.emplace(key, toml_key(key) + " = " + text.value_or(""));
  });
  if (!is_whole) return std::nullopt;
  std::vector<std::string_view> texts;
  for (const auto& [key, text] : members) texts.push_back(text);
  return texts.empty() ? "{}" : fmt::format("{{ {} }}", fmt::join(texts, ", "));
}

}  // namespace

std::string toml_key(std::string_view key) {
  const bool is_bare = !key.empty() && std::ranges::all_of(key, [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-';
  });
  return is_bare ? std::string(key) : toml_string(key);
}

std::optional<std::string> toml_value(TomlNode value) {
  switch (value.kind()) {
    case TomlNode::Kind::string:
      return toml_string(value.string());
    case TomlNode::Kind::integer:
      return std::to_string(value.integer());
    case TomlNode::Kind::real:
      return toml_real(value.real());
    case TomlNode::Kind::boolean:
      return value.boolean() ? "true" : "false";
    case TomlNode::Kind::array:
      return toml_array(value);
    case TomlNode::Kind::table:
      return toml_table(value);
    case TomlNode::Kind::time:
      break;
  }
  return std::nullopt;
}

}  // namespace mxfeed
