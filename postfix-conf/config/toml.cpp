// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/toml.h"

#include <toml++/toml.h>

#include <chrono>
#include <utility>

#include "postfix-conf/config/toml_syntax.h"

namespace mxfeed {
namespace {

const toml::node& node_of(const void* node) {
  return *static_cast<const toml::node*>(node);
}

}  // namespace

TomlNode::Kind TomlNode::kind() const {
  switch (node_of(node_).type()) {
    case toml::node_type::string:
      return Kind::string;
    case toml::node_type::integer:
      return Kind::integer;
    case toml::node_type::floating_point:
      return Kind::real;
    case toml::node_type::boolean:
      return Kind::boolean;
    case toml::node_type::array:
      return Kind::array;
    case toml::node_type::table:
      return Kind::table;
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
    case toml::node_type::none:
      break;
  }
  return Kind::time;
}

std::uint32_t TomlNode::line() const {
  return static_cast<std::uint32_t>(node_of(node_).source().begin.line);
}

std::string_view TomlNode::string() const {
  return node_of(node_).as_string()->get();
}
std::int64_t TomlNode::integer() const {
  return node_of(node_).as_integer()->get();
}
double TomlNode::real() const {
  return node_of(node_).as_floating_point()->get();
}
bool TomlNode::boolean() const {
  return node_of(node_).as_boolean()->get();
}

std::optional<Time> TomlNode::time() const {
  const auto* const given = node_of(node_).as_date_time();
  if (given == nullptr || !given->get().offset) return std::nullopt;
  const auto& [date, time, offset] = given->get();
  const std::chrono::year_month_day day{std::chrono::year(date.year),
                                        std::chrono::month(date.month),
                                        std::chrono::day(date.day)};
  return std::chrono::sys_days(day) + std::chrono::hours(time.hour) +
         std::chrono::minutes(time.minute - offset->minutes) +
         std::chrono::seconds(time.second);
}

void TomlNode::visit_items(VisitItem visit, void* context) const {
  for (const auto& one : *node_of(node_).as_array()) visit(context, TomlNode(&one));
}

void TomlNode::visit_members(VisitMember visit, void* context) const {
  for (const auto& [key, value] : *node_of(node_).as_table()) {
    visit(context, key.str(), static_cast<std::uint32_t>(key.source().begin.line),
          TomlNode(&value));
  }
}

std::optional<TomlNode> TomlNode::member(std::string_view key) const {
  const toml::node* const found = node_of(node_).as_table()->get(key);
  if (found == nullptr) return std::nullopt;
  return TomlNode(found);
}

std::string_view name_of(TomlNode::Kind kind) {
  switch (kind) {
    case TomlNode::Kind::string:
      return "a string";
    case TomlNode::Kind::integer:
      return "an integer";
    case TomlNode::Kind::real:
      return "a number";
    case TomlNode::Kind::boolean:
      return "true or false";
    case TomlNode::Kind::time:
      return "a date or time";
    case TomlNode::Kind::array:
      return "an array";
    case TomlNode::Kind::table:
      return "a table";
  }
  return "";
}

struct TomlFile::Impl {
  toml::table table;
};

TomlFile::TomlFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TomlFile::~TomlFile() = default;
TomlFile::TomlFile(TomlFile&&) noexcept = default;
TomlFile& TomlFile::operator=(TomlFile&&) noexcept = default;

std::variant<TomlFile, SyntaxError> TomlFile::parse(std::string_view text) {
  try {
    return TomlFile(std::make_unique<Impl>(Impl{toml::parse(text)}));
  } catch (const toml::parse_error& problem) {
    if (auto error = find_encoding_error(text)) return *std::move(error);
    return explain_syntax_error(text,
                                static_cast<std::uint32_t>(problem.source().begin.line));
  }
}

TomlNode TomlFile::root() const {
  return TomlNode(static_cast<const toml::node*>(&impl_->table));
}

}  // namespace mxfeed
