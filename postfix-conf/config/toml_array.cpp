// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/toml_array.h"

#include <algorithm>

#include "common/base/text.h"

namespace mxfeed {
namespace {

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

std::size_t line_begin(std::string_view text, std::size_t at) {
  const auto end = at == 0 ? text.npos : text.rfind('\n', at - 1);
  return end == text.npos ? 0 : end + 1;
}

// Of the '\n', or the end of the text.
std::size_t line_end(std::string_view text, std::size_t at) {
  return std::min(text.find('\n', at), text.size());
}

// Behind the string that begins there; nothing if it does not end on its line.
std::optional<std::size_t> skip_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  if (text.substr(at).starts_with(std::string(3, quote))) return std::nullopt;
  for (++at; at < text.size() && text[at] != '\n'; ++at) {
    if (text[at] == quote) return at + 1;
    if (text[at] == '\\' && quote == '"') ++at;
  }
  return std::nullopt;
}

bool is_quote(char c) {
  return c == '"' || c == '\'';
}

bool is_key_char(char c) {
  return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
}

// Behind the bracket of "key = [" in the line.
std::optional<std::size_t> find_open(std::string_view text, std::size_t at,
                                     std::string_view key) {
  const std::size_t end = line_end(text, at);
  while (at < end && text[at] != '#') {
    if (is_quote(text[at])) {
      const auto behind = skip_string(text, at);
      if (!behind) return std::nullopt;
      at = *behind;
    } else if (is_key_char(text[at])) {
      const std::size_t begin = at;
      while (at < end && is_key_char(text[at])) ++at;
      if (text.substr(begin, at - begin) != key) continue;
      std::size_t next = skip_blanks(text, at);
      if (next >= end || text[next] != '=') continue;
      next = skip_blanks(text, next + 1);
      if (next < end && text[next] == '[') return next + 1;
    } else {
      ++at;
    }
  }
  return std::nullopt;
}

// Behind spaces, line ends and comments.
std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    if (text[at] == '#') {
      at = line_end(text, at);
    } else if (is_space(text[at])) {
      ++at;
    } else {
      break;
    }
  }
  return at;
}

// Behind the comma that follows, or nothing.
std::optional<std::size_t> behind_comma(std::string_view text, std::size_t at) {
  at = skip_space(text, at);
  if (at >= text.size() || text[at] != ',') return std::nullopt;
  return at + 1;
}

bool is_all_blank(std::string_view text) {
  return trim(text).empty();
}

}  // namespace

std::optional<ArrayText> find_array(std::string_view text, std::uint32_t line,
                                    std::string_view key) {
  std::size_t at = 0;
  for (std::uint32_t i = 1; i < line; ++i) {
    at = line_end(text, at);
    if (at == text.size()) return std::nullopt;
    ++at;
  }
  const auto open = find_open(text, at, key);
  if (!open) return std::nullopt;
  ArrayText array{*open, 0, {}};
  at = skip_space(text, *open);
  while (at < text.size() && is_quote(text[at])) {
    const auto end = skip_string(text, at);
    if (!end) return std::nullopt;
    array.items.push_back({at, *end});
    const auto next = behind_comma(text, *end);
    at = skip_space(text, next.value_or(*end));
    if (!next) break;
  }
  if (at >= text.size() || text[at] != ']') return std::nullopt;
  array.end = at;
  return array;
}

std::string_view content_of(const ArrayText::Item& item, std::string_view text) {
  return text.substr(item.begin + 1, item.end - item.begin - 2);
}

std::string add_item(std::string_view text, const ArrayText& array,
                     std::string_view item) {
  std::string changed(text);
  if (array.items.empty()) return changed.insert(array.begin, item);
  const auto& last = array.items.back();
  const auto comma = behind_comma(text, last.end);
  const std::size_t closing_line = line_begin(text, array.end);
  const bool is_own_line =
      closing_line > last.end &&
      is_all_blank(text.substr(closing_line, array.end - closing_line));
  if (!is_own_line) {
    return comma ? changed.insert(*comma, " " + std::string(item))
                 : changed.insert(last.end, ", " + std::string(item));
  }
  const std::size_t begin = line_begin(text, last.begin);
  std::string line(text.substr(begin, skip_blanks(text, begin) - begin));
  line += item;
  line += ',';
  line += closing_line >= 2 && text[closing_line - 2] == '\r' ? "\r\n" : "\n";
  changed.insert(closing_line, line);
  return comma ? changed : changed.insert(last.end, ",");
}

std::string remove_item(std::string_view text, const ArrayText& array,
                        std::size_t index) {
  const auto& item = array.items[index];
  const auto comma = behind_comma(text, item.end);
  const std::size_t end = comma.value_or(item.end);
  const std::size_t begin = line_begin(text, item.begin);
  const std::size_t line = line_end(text, end);
  const auto rest = trim(text.substr(end, line - end));
  std::string changed(text);
  const bool is_own_line = is_all_blank(text.substr(begin, item.begin - begin)) &&
                           line_end(text, item.begin) == line &&
                           (rest.empty() || rest.front() == '#') && line < text.size();
  if (is_own_line) return changed.erase(begin, line + 1 - begin);
  if (comma) return changed.erase(item.begin, skip_blanks(text, end) - item.begin);
  if (index == 0) return changed.erase(item.begin, item.end - item.begin);
  // The last one goes with the comma before it.
  const std::size_t before = array.items[index - 1].end;
  const std::size_t at = text.find(',', before);
  changed.erase(item.begin, item.end - item.begin);
  const bool is_same_line = is_all_blank(text.substr(at + 1, item.begin - at - 1)) &&
                            line_begin(text, at) == begin;
  return is_same_line ? changed.erase(at, item.begin - at) : changed;
}

}  // namespace mxfeed
