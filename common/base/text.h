// SPDX-License-Identifier: GPL-2.0-or-later
//
// Small text functions.  ASCII only: mail protocols know no locale.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mxfeed {

constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
constexpr bool is_space(char c) {
  return is_blank(c) || c == '\r' || c == '\n';
}
// The value of a hexadecimal digit; -1 for any other character.
constexpr int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string ascii_lower(std::string_view text);
bool is_ascii(std::string_view text);
bool iequals(std::string_view a, std::string_view b);
bool istarts_with(std::string_view text, std::string_view prefix);

// Without spaces, tabs, CR and LF at both ends.
std::string_view trim(std::string_view text);

// "a,b,,c" at ',' is four pieces; an empty text is one empty piece.
std::vector<std::string_view> split(std::string_view text, char separator);

// How many ASCII bytes the text begins with.
std::size_t ascii_length(std::string_view text);
// The length of the valid UTF-8 sequence that the text begins with; 0 if there is none
// (RFC 3629, 4: no overlong forms, no surrogates).
std::size_t utf8_length(std::string_view text);

// The code point of a valid sequence.
char32_t code_point(std::string_view sequence);

// The length of the UTF-8 sequence that the text begins with if it is harmless in a log
// line and on a terminal.  0 for bytes that are not UTF-8, and for characters that break
// a line, are invisible, reorder others, or have no meaning.
std::size_t printable_length(std::string_view text);

// Makes text from a peer safe for a log line or a terminal: what is not printable, '"'
// and '\\' become \xHH, byte by byte.
std::string escape_untrusted(std::string_view text);
// The same for a whole line: quotes and backslashes stay.
std::string escape_line(std::string_view line);

std::string to_hex(std::string_view bytes);
// Nothing if the text is not pairs of hexadecimal digits in lower case.
std::optional<std::string> from_hex(std::string_view text);

// The whole text as a decimal number; nothing for anything else: a sign, a space, a
// number that is too large.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

// "90s", "15m", "6h", "2d", "1w"; nothing without a unit or for more than 10 years.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);
// The duration in its largest exact unit up to days, as parse_duration() takes it: 172800
// s is "2d".
std::string format_duration(std::chrono::seconds duration);

// "50M", "512K", "1G", "1000" (bytes); powers of 1024.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace mxfeed
