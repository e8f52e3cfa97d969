// SPDX-License-Identifier: GPL-2.0-or-later
//
// Encoded words of header fields (RFC 2047) and the encodings they share with parts.  All
// input comes from senders: every function takes any bytes, in linear time.  Pure,
// thread-safe; none throws.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mxfeed {

// An encoded word, its bytes decoded but not yet converted.
struct EncodedWord {
  std::size_t length;   // as written
  std::string charset;  // lower case, without the language of RFC 2231, 5
  std::string bytes;
  bool conforms;  // to RFC 2047, 2 to 4: length, alphabet, escapes
};
// The encoded word "=?charset?encoding?text?=" at the start of the text, even if it is
// longer than allowed; nothing if there is none.
std::optional<EncodedWord> encoded_word(std::string_view text);

// The text of a field as a reader sees it, in UTF-8: unfolded, encoded words decoded (RFC
// 2047; like mail programs, also inside words and quoted strings and if they are too
// long), white space between encoded words dropped.  All other text stays.  Encoded line
// breaks and NULs become spaces.
std::string decode_words(std::string_view value);

// UTF-8 text as encoded words of at most 75 characters, separated by spaces; no character
// is cut.
std::string encode_words(std::string_view text);

// Decodes quoted-printable (RFC 2045, 6.7) or, with `underscore`, the "Q" encoding of
// encoded words; malformed escapes stay as they are.
std::string decode_quoted(std::string_view text, bool underscore = false);
// Decodes base64.  Bytes outside of the alphabet are skipped; an incomplete last group
// gives the bytes it holds.
std::string decode_base64(std::string_view text);

}  // namespace mxfeed
