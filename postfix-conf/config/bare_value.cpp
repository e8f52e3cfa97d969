// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/bare_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMaxShown = 80;

// The quotation marks that word processors insert.
bool starts_with_typographic_quote(std::string_view text) {
  constexpr std::array<std::string_view, 8> kQuotes{
      "\u2018", "\u2019", "\u201A", "\u201C", "\u201D", "\u201E", "\u00AB", "\u00BB"};
  return std::any_of(kQuotes.begin(), kQuotes.end(),
                     [&](std::string_view quote) { return text.starts_with(quote); });
}

// Whether it may be a number, a date, a time, true or false; not whether it is one.
bool is_like_a_bare_value(std::string_view text) {
  if (text == "true" || text == "false") return true;
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  if (text == "inf" || text == "nan") return true;
  const auto all = [](std::string_view digits, auto is) {
    return !digits.empty() && std::all_of(digits.begin(), digits.end(),
                                          [&](char c) { return c == '_' || is(c); });
  };
  if (text.starts_with("0x")) {
    return all(text.substr(2), [](char c) { return hex_digit(c) >= 0; });
  }
  if (text.starts_with("0o") || text.starts_with("0b")) {
    return all(text.substr(2), is_digit);
  }
  const auto count = [&](char c) { return std::count(text.begin(), text.end(), c); };
  const bool is_number =
      count('.') <= 1 && all(text, [](char c) {
        return is_digit(c) || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-';
      });
  const bool is_time =
      (count(':') == 2 || count(':') == 3 || count('-') >= 2) && all(text, [](char c) {
        return is_digit(c) || c == ':' || c == '-' || c == '.' || c == '+' || c == 'T' ||
               c == 't' || c == 'Z' || c == 'z' || c == ' ';
      });
  return !text.empty() && is_digit(text.front()) && (is_number || is_time);
}

bool is_boolean_elsewhere(std::string_view text) {
  constexpr std::array<std::string_view, 6> kWords{"true", "false", "yes",
                                                   "no",   "on",    "off"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return iequals(word, text); });
}

}  // namespace

std::string as_written(std::string_view text) {
  constexpr std::string_view kQuote = "\\x22";
  const auto printable = escape_untrusted(text.substr(0, kMaxShown));
  std::string_view rest = printable;
  std::string all;
  for (auto at = rest.find(kQuote); at != rest.npos; at = rest.find(kQuote)) {
    all.append(rest.substr(0, at)).push_back('"');
    rest.remove_prefix(at + kQuote.size());
  }
  all.append(rest);
  return text.size() > kMaxShown ? all + "..." : all;
}

std::optional<std::string> wrong_bare_value(std::string_view text) {
  if (text.empty()) return "a value is missing";
  if (is_like_a_bare_value(text)) return std::nullopt;
  if (starts_with_typographic_quote(text)) {
    return fmt::format("the quotes must be plain ones (\"), not typographic ones: {}",
                       as_written(text));
  }
  if (is_boolean_elsewhere(text)) {
    return fmt::format("{} must be written true or false", as_written(text));
  }
  if (text.find_first_of("\"'") != std::string_view::npos) {
    return fmt::format("text must be in quotes, one at each end: {}", as_written(text));
  }
  return fmt::format("text must be in quotes: \"{}\"",
                     as_written(trim(text.substr(0, text.find(',')))));
}

}  // namespace mxfeed
