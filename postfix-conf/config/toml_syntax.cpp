// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/toml_syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "common/base/text.h"
#include "postfix-conf/config/bare_value.h"

namespace mxfeed {
namespace {

constexpr int kMaxDepth = 64;  // of arrays and inline tables
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// Separators in paths: bytes that no key contains.
constexpr char kInto = '\x1F';   // before the name of a member
constexpr char kIndex = '\x1E';  // before the number of an item

bool is_bare_key(char c) {
  return is_letter(c) || is_digit(c) || c == '_' || c == '-';
}

// Reads the text up to the first mistake that it recognises.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  }

  std::optional<SyntaxError> scan() {
    while (!error_ && (skip_lines(), at_ < text_.size())) {
      if (next() == '[' ? header() : pair(0)) end_of_line();
    }
    return std::move(error_);
  }

 private:
  char next(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\n';
  }
  std::string_view rest() const { return text_.substr(at_); }
  bool is_at_end() const { return at_ >= text_.size(); }
  bool is_at_line_end() const {
    return next() == '\n' || (next() == '\r' && next(1) == '\n');
  }
  // The text up to the end of the line or a comment.
  std::string_view rest_of_line() const {
    return trim(rest().substr(0, rest().find_first_of("#\n")));
  }

  void skip_blanks() {
    while (!is_at_end() && is_blank(next())) ++at_;
  }
  void skip_comment() {
    if (next() == '#') at_ = std::min(text_.find('\n', at_), text_.size());
  }
  // Blanks, comments and line ends.
  void skip_lines() {
    for (;;) {
      skip_blanks();
      skip_comment();
      if (is_at_end() || !is_at_line_end()) return;
      at_ = text_.find('\n', at_) + 1;
      ++line_;
    }
  }

  bool fail(std::string cause) { return fail_at(line_, std::move(cause)); }
  bool fail_at(std::uint32_t line, std::string cause) {
    if (!error_) error_ = {line, std::move(cause)};
    return false;
  }
  // Fails for the value that is being read.
  bool fail_value(std::string_view cause) {
    return fail(key_.empty() ? std::string(cause) : fmt::format("{}: {}", key_, cause));
  }

  void end_of_line() {
    skip_blanks();
    skip_comment();
    if (is_at_line_end()) return;
    if (next() == ',') {
      fail_value("several values must be in brackets: [\"...\", \"...\"]");
    } else {
      fail_value(fmt::format("unexpected text at the end of the line: {}",
                             as_written(rest_of_line())));
    }
  }

  // [a.b] or [[a.b]]
  bool header() {
    const bool is_array = next(1) == '[';
    at_ += is_array ? 2 : 1;
    key_.clear();
    std::string path, name;
    for (;;) {
      std::string part;
      skip_blanks();
      if (!key_part(part, "the name of a table")) return false;
      skip_blanks();
      name += (name.empty() ? "" : ".") + part;
      if (next() != '.') {
        path += kInto + part;
        break;
      }
      ++at_;
      path += kInto + part;
      if (const auto found = elements_.find(path); found != elements_.end()) {
        path += fmt::format("{}{}", kIndex, found->second);
      }
    }
    const std::string_view closing = is_array ? "]]" : "]";
    if (!rest().starts_with(closing)) {
      return fail(fmt::format("[{}{}: no closing \"{}\"", is_array ? "[" : "",
                              as_written(name), closing));
    }
    at_ += closing.size();
    key_ = is_array ? fmt::format("[[{}]]", as_written(name))
                    : fmt::format("[{}]", as_written(name));
    if (!is_array) {
      table_ = path;
      if (elements_.count(path) == 0) return define(path);
      return fail(
          fmt::format("[{0}]: must be written [[{0}]], as before", as_written(name)));
    }
    const auto count = ++elements_[path];
    table_ = fmt::format("{}{}{}", path, kIndex, count);
    return count > 1 || define(path);
  }

  // KEY = VALUE
  bool pair(int depth) {
    key_.clear();
    std::string path = table_, name;
    for (;;) {
      std::string part;
      if (!key_part(part, "a key")) return false;
      skip_blanks();
      path += kInto + part;
      name += (name.empty() ? "" : ".") + part;
      if (next() != '.') break;
      ++at_;
      skip_blanks();
    }
    key_ = as_written(name);
    if (next() != '=') {
      return fail_value(next() == ':' ? "write \"=\" instead of \":\""
                                      : "no \"=\" after the key");
    }
    ++at_;
    skip_blanks();
    if (!define(path)) return false;
    if (is_at_line_end() || next() == '#') return fail_value("no value after \"=\"");
    return value(path, depth);
  }

  bool define(const std::string& path) {
    const auto [first, is_new] = defined_.emplace(path, line_);
    return is_new ||
           fail_value(fmt::format("duplicate; first defined in line {}", first->second));
  }

  bool key_part(std::string& part, std::string_view what) {
    if (next() == '"' || next() == '\'') {
      const auto begin = at_ + 1;
      if (!string()) return false;
      part = text_.substr(begin, at_ - 1 - begin);
      return true;
    }
    const auto begin = at_;
    while (!is_at_end() && is_bare_key(next())) ++at_;
    part = text_.substr(begin, at_ - begin);
    if (!part.empty()) return true;
    if (next() == '=') return fail("no key before \"=\"");
    return fail(fmt::format(
        "expected {}, not {}", what,
        is_at_line_end() ? "the end of the line" : as_written(rest_of_line())));
  }

  bool value(const std::string& path, int depth) {
    if (depth > kMaxDepth) return fail_value("nested too deeply");
    switch (next()) {
      case '"':
      case '\'':
        return string();
      case '[':
        return array(path, depth);
      case '{':
        return inline_table(path, depth);
      default:
        return bare(depth > 0);
    }
  }

  bool bare(bool is_item) {
    auto token = rest().substr(0, rest().find_first_of(is_item ? "#\n,]}" : "#\n"));
    token = trim(token);
    if (const auto cause = wrong_bare_value(token)) return fail_value(*cause);
    at_ += token.size();
    return true;
  }

  bool string() {
    const char quote = next();
    const std::string_view three = quote == '"' ? "\"\"\"" : "'''";
    if (rest().starts_with(three)) return long_string(three);
    for (++at_; next() != quote; ++at_) {
      if (is_at_line_end()) {
        return fail_value(fmt::format("the string has no closing quote ({})", quote));
      }
      if (!character(quote)) return false;
    }
    ++at_;
    return true;
  }

  bool long_string(std::string_view three) {
    const auto begin = line_;
    for (at_ += 3; !rest().starts_with(three); ++at_) {
      if (is_at_end()) {
        return fail_at(
            begin, fmt::format("{}: the string has no closing quotes ({})", key_, three));
      }
      if (next() == '\n') ++line_;
      if (next() != '\n' && next() != '\r' && !character(three.front())) return false;
    }
    at_ += 3;
    for (int i = 0; i < 2 && next() == three.front(); ++i) ++at_;
    return true;
  }

  // Checks one character in a string; stops at the last byte of an escape sequence.
  bool character(char quote) {
    const char c = next();
    if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7F') {
      return fail_value("a control character in the string");
    }
    if (quote != '"' || c != '\\') return true;
    constexpr std::string_view kEscapes = "btnfr\"\\uU\n\r \t";
    if (kEscapes.find(next(1)) == std::string_view::npos) {
      return fail_value(
          fmt::format("\"\\{}\" is not an escape sequence: write \"\\\\\" for a "
                      "backslash, or use single quotes",
                      as_written(rest().substr(
                          1, std::max<std::size_t>(1, utf8_length(rest().substr(1)))))));
    }
    if (next(1) == '\n') ++line_;
    ++at_;
    return true;
  }

  // Whether the line looks like the next table or the next key.
  bool is_next_entry() const {
    const auto line = rest_of_line();
    if (line.starts_with('[')) {
      return line.ends_with(']') && line.find_first_of("\"',=0123456789 ") == line.npos;
    }
    const auto* const end = std::find_if_not(line.begin(), line.end(), is_bare_key);
    return end != line.begin() &&
           trim(std::string_view(end, line.end())).starts_with('=');
  }

  bool array(const std::string& path, int depth) {
    const auto begin = line_;
    const auto unclosed = [&] {
      return fail_at(
          begin,
          fmt::format("{}: the array that begins here has no closing \"]\"", key_));
    };
    ++at_;
    for (std::size_t i = 0;; ++i) {
      const auto before = line_;
      skip_lines();
      if (is_at_end() || (line_ != before && is_next_entry())) return unclosed();
      if (next() == ']') break;
      if (next() == ',') return fail_value("there is one comma too many in the array");
      if (!value(fmt::format("{}{}{}", path, kIndex, i), depth + 1)) return false;
      const auto end = line_;
      skip_lines();
      if (next() == ']') break;
      if (is_at_end() || (line_ != end && is_next_entry())) return unclosed();
      if (next() != ',') {
        return fail_value(
            fmt::format("no comma between the items of the array, before {}",
                        as_written(rest_of_line())));
      }
      ++at_;
    }
    ++at_;
    return true;
  }

  bool inline_table(const std::string& path, int depth) {
    const std::string outer_table = std::exchange(table_, path);
    const std::string outer_key = key_;
    ++at_;
    skip_blanks();
    for (bool first = true; next() != '}' || !first; first = false) {
      if (is_at_line_end() || next() == '#') {
        key_ = outer_key;
        return fail_value("a table in { } must be closed on the same line");
      }
      if (next() == '}') {
        key_ = outer_key;
        return fail_value("a comma before the closing \"}\" is not allowed");
      }
      if (!pair(depth + 1)) return false;
      skip_blanks();
      if (next() == '}') break;
      if (next() != ',' && !is_at_line_end()) {
        return fail_value(fmt::format("no comma after the value, before {}",
                                      as_written(rest_of_line())));
      }
      if (next() == ',') ++at_;
      skip_blanks();
    }
    ++at_;
    table_ = outer_table;
    key_ = outer_key;
    return true;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::string table_;  // the path of the table that keys are added to
  std::string key_;    // of the value that is being read, printable
  std::map<std::string, std::uint32_t> defined_;   // paths of keys and tables: line
  std::map<std::string, std::uint32_t> elements_;  // arrays of tables: how many so far
  std::optional<SyntaxError> error_;
};

}  // namespace

SyntaxError explain_syntax_error(std::string_view text, std::uint32_t line) {
  auto found = Scanner(text).scan();
  if (found && found->line <= line) return *std::move(found);
  return {line, "not valid TOML"};
}

}  // namespace mxfeed
