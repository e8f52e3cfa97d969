// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/toml.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <chrono>
#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "common/base/text.h"

#include "postfix-conf/config/toml_syntax.h"

namespace mxfeed {
namespace {

const toml::node& node_of(const void* node) {
  return *static_cast<const toml::node*>(node);
}

constexpr std::size_t kMostDepth = 16;
constexpr std::size_t kMostShown = 100;

// Builds the table as the parser meets the values.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override {
    // A column without a value: the key is absent.
    return open_.empty() || open_.back()->is_array() ? fail("null in a list") : true;
  }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value >
        static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      return fail("a number is too large");
    }
    return put(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return fail("binary data"); }

  bool start_object(std::size_t) override {
    if (is_begun_ && open_.empty()) return fail("more than one object");
    if (is_begun_) return open(toml::table());
    is_begun_ = true;
    open_.push_back(&table);
    return true;
  }
  bool key(string_t& value) override {
    key_ = std::move(value);
    if (!open_.back()->as_table()->contains(key_)) return true;
    return fail(fmt::format("\"{}\" comes twice",
                            escape_line(std::string_view(key_).substr(0, kMostShown))));
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override {
    return is_begun_ ? open(toml::array()) : fail("not an object");
  }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t at, const std::string&,
                   const nlohmann::detail::exception&) override {
    return fail(fmt::format("not JSON, at character {}", at));
  }

  toml::table table;
  std::string problem;

 private:
  bool fail(std::string cause) {
    if (problem.empty()) problem = std::move(cause);
    return false;
  }

  template <typename T>
  toml::node& append(T&& value) {
    if (toml::array* const list = open_.back()->as_array()) {
      list->push_back(std::forward<T>(value));
      return list->back();
    }
    return open_.back()
        ->as_table()
        ->insert_or_assign(key_, std::forward<T>(value))
        .first->second;
  }

  template <typename T>
  bool put(T&& value) {
    if (open_.empty()) return fail("not an object");
    append(std::forward<T>(value));
    return true;
  }

  template <typename T>
  bool open(T&& container) {
    if (open_.size() == kMostDepth) return fail("too deep");
    open_.push_back(&append(std::forward<T>(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  bool is_begun_ = false;
  std::string key_;
  std::vector<toml::node*> open_;  // the innermost last
};

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

std::variant<TomlFile, SyntaxError> TomlFile::parse_json(std::string_view text) {
  Builder builder;
  if (!nlohmann::json::sax_parse(text, &builder)) {
    return SyntaxError{0, std::move(builder.problem)};
  }
  return TomlFile(std::make_unique<Impl>(Impl{std::move(builder.table)}));
}

TomlNode TomlFile::root() const {
  return TomlNode(static_cast<const toml::node*>(&impl_->table));
}

}  // namespace mxfeed
