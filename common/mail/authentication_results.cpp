// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/authentication_results.h"

#include "common/base/text.h"

namespace mxfeed {
namespace {

// Reads the tokens of RFC 8601, 2.2; comments and white space may stand between any two.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : rest_(text) {}

  // Skips white space and comments, and collects what these say.
  void skip(std::string* comments = nullptr) {
    while (!rest_.empty()) {
      if (is_space(rest_.front())) {
        rest_.remove_prefix(1);
      } else if (rest_.front() == '(') {
        skip_comment(comments);
      } else {
        return;
      }
    }
  }

  bool take(char c) {
    skip();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // A token or a quoted string; values may be addresses.  Nothing is taken if there is
  // neither, or if the string does not end.
  std::optional<std::string> value() {
    skip();
    if (rest_.starts_with('"')) return quoted();
    return word(";()\"= \t\r\n");
  }
  // As value(), but '=' belongs to it: a key may end with it.
  std::optional<std::string> property_value() {
    skip();
    if (rest_.starts_with('"')) return quoted();
    return word(";()\" \t\r\n");
  }
  // A method, a type of property or its name.
  std::optional<std::string> keyword() {
    skip();
    auto found = word("./;()\"=@ \t\r\n");
    if (found) *found = ascii_lower(*found);
    return found;
  }

  bool at_end() {
    skip();
    return rest_.empty();
  }
  std::string_view rest() const { return rest_; }
  void reset(std::string_view rest) { rest_ = rest; }

 private:
  void skip_comment(std::string* comments) {
    std::size_t depth = 0;
    std::size_t i = 0;
    if (comments != nullptr && !comments->empty()) *comments += ' ';
    for (; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (c == '(' && depth++ == 0) continue;
      if (c == ')' && --depth == 0) break;
      if (c == '\\' && i + 1 < rest_.size()) ++i;
      if (comments != nullptr) *comments += rest_[i];
    }
    rest_.remove_prefix(std::min(i + 1, rest_.size()));
  }

  std::optional<std::string> quoted() {
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      text += rest_[i];
    }
    return std::nullopt;
  }

  std::optional<std::string> word(std::string_view ends) {
    const std::size_t length = std::min(rest_.find_first_of(ends), rest_.size());
    if (length == 0) return std::nullopt;
    std::string text(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return text;
  }

  std::string_view rest_;
};

// "= value" of a reason; not kept.
bool skip_reason(Tokens& tokens) {
  return tokens.take('=') && tokens.value();
}

// "type.name=value", up to the next ';'.
bool read_properties(Tokens& tokens, MethodResult& result) {
  for (;;) {
    tokens.skip(&result.comments);
    if (tokens.rest().empty() || tokens.rest().starts_with(';')) return true;
    const auto type = tokens.keyword();
    if (!type) return false;
    if (*type == "reason" && !tokens.rest().starts_with('.')) {
      if (!skip_reason(tokens)) return false;
      continue;
    }
    if (!tokens.take('.')) return false;
    const auto name = tokens.keyword();
    if (!name || !tokens.take('=')) return false;
    tokens.skip(&result.comments);
    auto value = tokens.property_value();
    // An empty value is not allowed, but written: "smtp.mailfrom=;".
    if (!value && !tokens.rest().empty() && !tokens.rest().starts_with(';')) return false;
    // A quoted local part is followed by the rest of its address.
    while (value && !tokens.rest().empty() && tokens.rest().starts_with('@')) {
      *value += *tokens.property_value();
    }
    if (result.properties.size() < AuthenticationResults::kMostProperties) {
      result.properties.emplace_back(*type + '.' + *name, value.value_or(""));
    }
  }
}

std::optional<MethodResult> read_result(Tokens& tokens) {
  const auto method = tokens.keyword();
  if (!method) return std::nullopt;
  if (tokens.take('/') && !tokens.keyword()) return std::nullopt;  // its version
  if (!tokens.take('=')) return std::nullopt;
  const auto found = tokens.keyword();
  if (!found) return std::nullopt;
  MethodResult result{*method, *found, {}, {}};
  if (!read_properties(tokens, result)) return std::nullopt;
  return result;
}

}  // namespace

std::string_view MethodResult::property(std::string_view name) const {
  for (const auto& [key, value] : properties) {
    if (key == name) return value;
  }
  return {};
}

std::optional<AuthenticationResults> AuthenticationResults::parse(
    std::string_view value) {
  Tokens tokens(value);
  auto server = tokens.value();
  if (!server || server->empty()) return std::nullopt;
  AuthenticationResults all{*std::move(server), {}};
  tokens.skip();
  if (!tokens.rest().starts_with(';')) tokens.keyword();  // the version
  while (all.results.size() < kMostResults && tokens.take(';')) {
    if (tokens.at_end()) break;
    auto result = read_result(tokens);
    if (!result) break;
    all.results.push_back(*std::move(result));
  }
  return all;
}

}  // namespace mxfeed
