// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/toml_edit.h"

#include <cstddef>

#include "common/base/text.h"

namespace mxfeed {
namespace {

// A line of a text: where it begins, and its length without the line end.
struct Line {
  std::size_t begin;
  std::size_t length;
};

std::optional<Line> find_line(std::string_view text, std::uint32_t number) {
  std::size_t begin = 0;
  for (std::uint32_t i = 1; i < number; ++i) {
    const auto end = text.find('\n', begin);
    if (end == std::string_view::npos) return std::nullopt;
    begin = end + 1;
  }
  if (number == 0 || begin >= text.size()) return std::nullopt;
  auto length = text.substr(begin).find('\n');
  if (length == std::string_view::npos) length = text.size() - begin;
  if (length > 0 && text[begin + length - 1] == '\r') --length;
  return Line{begin, length};
}

std::size_t blanks_of(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && is_blank(text[count])) ++count;
  return count;
}

// Where the value of a line "key = value" begins; nothing if the line has another key.
std::optional<std::size_t> value_of(std::string_view line, std::string_view key) {
  std::size_t at = blanks_of(line);
  if (line.substr(at, key.size()) != key) return std::nullopt;
  at += key.size();
  at += blanks_of(line.substr(at));
  if (at >= line.size() || line[at] != '=') return std::nullopt;
  ++at;
  return at + blanks_of(line.substr(at));
}

// The length of a value that is a string without escapes on one line, or a bare one;
// nothing for others.
std::optional<std::size_t> length_of_value(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const char quote = text.front();
  if (quote != '"' && quote != '\'') {
    const auto end = text.find('#');
    const auto value = trim(text.substr(0, end));
    // Not an array or an inline table.
    if (value.empty() || value.find_first_of("[]{}\"'") != std::string_view::npos) {
      return std::nullopt;
    }
    return value.size();
  }
  if (text.starts_with("\"\"\"") || text.starts_with("'''")) return std::nullopt;
  const auto end = text.find(quote, 1);
  if (end == std::string_view::npos) return std::nullopt;
  if (text.substr(0, end).find('\\') != std::string_view::npos) return std::nullopt;
  return end + 1;
}

// The value, if nothing but a comment follows it.
std::optional<std::size_t> length_of_last_value(std::string_view text) {
  const auto length = length_of_value(text);
  if (!length) return std::nullopt;
  const auto rest = trim(text.substr(*length));
  if (!rest.empty() && rest.front() != '#') return std::nullopt;
  return length;
}

}  // namespace

std::optional<std::string> replace_value(std::string_view text, std::uint32_t line,
                                         std::string_view key, std::string_view value) {
  const auto found = find_line(text, line);
  if (!found) return std::nullopt;
  const auto whole = text.substr(found->begin, found->length);
  const auto at = value_of(whole, key);
  const auto length = at ? length_of_last_value(whole.substr(*at)) : std::nullopt;
  if (!length) return std::nullopt;
  std::string changed(text);
  changed.replace(found->begin + *at, *length, value);
  return changed;
}

std::optional<std::string> insert_value(std::string_view text, std::uint32_t line,
                                        std::string_view before, std::string_view key,
                                        std::string_view value) {
  const auto found = find_line(text, line);
  if (!found) return std::nullopt;
  const auto whole = text.substr(found->begin, found->length);
  const auto at = value_of(whole, before);
  if (!at || !length_of_last_value(whole.substr(*at))) return std::nullopt;
  const auto end = found->begin + found->length;
  const bool has_cr = end < text.size() && text[end] == '\r';
  std::string inserted = has_cr ? "\r\n" : "\n";
  inserted += whole.substr(0, blanks_of(whole));
  inserted += key;
  inserted += " = ";
  inserted += value;
  std::string changed(text);
  changed.insert(end, inserted);
  return changed;
}

}  // namespace mxfeed
