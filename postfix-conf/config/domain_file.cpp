// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/domain_file.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "common/base/toml_string.h"
#include "common/mail/address.h"
#include "postfix-conf/config/toml.h"
#include "postfix-conf/config/toml_text.h"

namespace mxfeed {
namespace {

constexpr std::string_view kHead =
    "# Written by mxfeed domain set, which replaces it: comments do not stay.\n";

// The members as TOML; nothing for a value that has no text here.
std::optional<std::map<std::string, std::string>> keys_of(TomlNode table) {
  std::map<std::string, std::string> keys;
  bool is_whole = table.kind() == TomlNode::Kind::table;
  if (!is_whole) return std::nullopt;
  table.each_member([&](std::string_view key, std::uint32_t, TomlNode value) {
    const auto text = toml_value(value);
    is_whole = is_whole && text;
    keys.emplace(key, text.value_or(""));
  });
  return is_whole ? std::optional(std::move(keys)) : std::nullopt;
}

std::optional<std::string> name_in(TomlNode domain) {
  const auto name = domain.member("name");
  if (!name || name->kind() != TomlNode::Kind::string) return std::nullopt;
  const auto known = Domain::parse(name->string());
  return known ? std::optional(known->str()) : std::nullopt;
}

std::string lines_of(const std::map<std::string, std::string>& keys) {
  std::string lines;
  for (const auto& [key, value] : keys)
    lines += fmt::format("{} = {}\n", toml_key(key), value);
  return lines;
}

}  // namespace

std::optional<DomainFile> DomainFile::parse(std::string_view text) {
  if (!text.starts_with(kHead)) return std::nullopt;
  const auto parsed = TomlFile::parse(text);
  if (!std::holds_alternative<TomlFile>(parsed)) return std::nullopt;
  const TomlNode root = std::get<TomlFile>(parsed).root();
  DomainFile file;
  if (const auto customer = root.member("customer")) {
    auto keys = keys_of(*customer);
    if (!keys) return std::nullopt;
    file.customer_ = *std::move(keys);
  }
  const auto domains = root.member("domain");
  if (!domains || domains->kind() != TomlNode::Kind::array) return std::nullopt;
  bool is_whole = true;
  domains->each_item([&](TomlNode domain) {
    auto keys = keys_of(domain);
    const auto name = keys ? name_in(domain) : std::nullopt;
    is_whole = is_whole && name;
    if (!name) return;
    keys->erase("name");
    file.domains_.emplace(*name, *std::move(keys));
  });
  // What an operator has changed is not overwritten.
  if (!is_whole || file.str() != text) return std::nullopt;
  return file;
}

Parsed<DomainFile> DomainFile::with(std::string_view row, const std::string& name) const {
  const auto parsed = TomlFile::parse_json(row);
  if (const auto* const error = std::get_if<SyntaxError>(&parsed)) {
    return Wrong{error->cause};
  }
  const TomlNode root = std::get<TomlFile>(parsed).root();
  std::string unknown;
  root.each_member([&](std::string_view key, std::uint32_t, TomlNode) {
    if (key != "customer" && key != "domain") unknown = toml_string(key);
  });
  if (!unknown.empty()) return Wrong{unknown + ": unknown key"};
  const auto domain = root.member("domain");
  auto keys = domain ? keys_of(*domain) : std::nullopt;
  if (!keys) return Wrong{"\"domain\" must be an object"};
  if (keys->contains("name") && name_in(*domain) != name) {
    return Wrong{fmt::format("\"domain\" has another name than \"{}\"", name)};
  }
  keys->erase("name");
  DomainFile file = *this;
  if (const auto customer = root.member("customer")) {
    auto of_customer = keys_of(*customer);
    if (!of_customer) return Wrong{"\"customer\" must be an object"};
    // One that says only its id stays as it was.
    if (of_customer->size() > 1 || file.customer_.empty()) {
      file.customer_ = *std::move(of_customer);
    }
  }
  file.domains_.insert_or_assign(name, *std::move(keys));
  return file;
}

std::optional<DomainFile> DomainFile::without(const std::string& name) const {
  if (!has(name)) return std::nullopt;
  DomainFile file = *this;
  file.domains_[name].insert_or_assign("state", "\"removed\"");
  return file;
}

std::string DomainFile::str() const {
  std::string text(kHead);
  if (!customer_.empty()) text += "\n[customer]\n" + lines_of(customer_);
  for (const auto& [name, keys] : domains_) {
    text += fmt::format("\n[[domain]]\nname = {}\n{}", toml_string(name), lines_of(keys));
  }
  return text;
}

std::string customer_in(std::string_view row) {
  const auto parsed = TomlFile::parse_json(row);
  if (!std::holds_alternative<TomlFile>(parsed)) return {};
  const auto customer = std::get<TomlFile>(parsed).root().member("customer");
  if (!customer || customer->kind() != TomlNode::Kind::table) return {};
  const auto id = customer->member("id");
  return id && id->kind() == TomlNode::Kind::string ? std::string(id->string()) : "";
}

}  // namespace mxfeed
