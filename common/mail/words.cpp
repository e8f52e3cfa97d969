// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/words.h"

#include <algorithm>
#include <cstdint>

#include "common/base/base64.h"
#include "common/base/text.h"
#include "common/mail/charset.h"
#include "common/mail/header.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMaxCharsetName = 64;
constexpr std::size_t kMaxWord = 75;  // RFC 2047, 2

bool is_strict_base64(std::string_view text) {
  const std::size_t padding = text.size() - (text.find_last_not_of('=') + 1);
  if (text.size() % 4 != 0 || padding > 2) return false;
  text.remove_suffix(padding);
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return base64_digit(c) >= 0; });
}

bool is_strict_q(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] <= ' ' || text[i] >= 0x7F) return false;
    if (text[i] != '=') continue;
    if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 ||
        hex_digit(text[i + 2]) < 0) {
      return false;
    }
    i += 2;
  }
  return true;
}

}  // namespace

std::optional<EncodedWord> encoded_word(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const std::size_t charset_end = text.substr(0, kMaxCharsetName + 3).find('?', 2);
  if (charset_end == std::string_view::npos || charset_end == 2) return std::nullopt;
  if (charset_end + 2 >= text.size() || text[charset_end + 2] != '?') return std::nullopt;
  const char encoding = ascii_lower(text[charset_end + 1]);
  if (encoding != 'b' && encoding != 'q') return std::nullopt;
  const std::size_t begin = charset_end + 3;
  // '?' cannot be part of the encoded text.
  const std::size_t end = text.find('?', begin);
  if (end == std::string_view::npos || end + 1 >= text.size() || text[end + 1] != '=') {
    return std::nullopt;
  }
  EncodedWord word;
  word.length = end + 2;
  word.charset = ascii_lower(text.substr(2, charset_end - 2));
  word.charset.resize(std::min(word.charset.find('*'), word.charset.size()));
  const std::string_view body = text.substr(begin, end - begin);
  word.bytes = encoding == 'b' ? decode_base64(body) : decode_quoted(body, true);
  word.conforms = word.length <= kMaxWord &&
                  (encoding == 'b' ? is_strict_base64(body) : is_strict_q(body));
  return word;
}

std::string decode_quoted(std::string_view text, bool underscore) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '_' && underscore) {
      out += ' ';
    } else if (c == '=' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
               hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

std::string decode_base64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) {
      if (c == '=') bits = 0;
      continue;
    }
    group = group << 6 | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(group >> bits & 0xFF);
    }
  }
  return out;
}

std::string decode_words(std::string_view value) {
  const std::string text = unfold(value);
  std::string_view rest = text;
  std::string out;
  std::string plain;    // read, not yet written
  std::string charset;  // of `bytes`
  std::string bytes;    // of encoded words: a character may be cut between two of them
  const auto write_bytes = [&] {
    if (!bytes.empty()) out += to_utf8(bytes, charset);
    bytes.clear();
  };
  bool after_word = false;
  while (!rest.empty()) {
    if (auto word = encoded_word(rest)) {
      const bool only_blanks = trim(plain).empty();
      if (!after_word || !only_blanks) {
        write_bytes();
        out += to_utf8(plain, "");
      }
      plain.clear();
      if (!bytes.empty() && word->charset != charset) write_bytes();
      charset = word->charset;
      bytes += word->bytes;
      after_word = true;
      rest.remove_prefix(word->length);
      continue;
    }
    // No encoded word begins here.  Text up to the next "=?" is plain, and so is at least
    // one byte, so that the loop advances.
    const std::size_t next = rest.find("=?", 1);
    const std::size_t length = std::min(next, rest.size());
    plain += rest.substr(0, length);
    rest.remove_prefix(length);
  }
  write_bytes();
  out += to_utf8(plain, "");
  // Line breaks that were encoded would let a sender forge lines in what we print.
  for (char& c : out) {
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  }
  return out;
}

std::string encode_words(std::string_view text) {
  constexpr std::size_t kBytes = 45;  // 72 characters as an encoded word
  std::string out;
  while (!text.empty()) {
    std::size_t length = std::min(kBytes, text.size());
    while (length > 1 && length < text.size() &&
           (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) {
      --length;
    }
    if (!out.empty()) out += ' ';
    out += "=?UTF-8?B?" + base64(text.substr(0, length)) + "?=";
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace mxfeed
