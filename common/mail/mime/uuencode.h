// SPDX-License-Identifier: GPL-2.0-or-later
//
// uuencode and its form with base64 (POSIX), line by line.  Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mxfeed::mime {

struct UuBegin {
  bool base64 = false;
  std::string_view name;  // may be empty
};
// What "begin 644 name" or "begin-base64 644 name" says; nothing for any other line.  Any
// number of blanks, one to six digits, and letters of any case are accepted.
std::optional<UuBegin> uu_begin(std::string_view text);

enum class UuAlphabet { uu, xx };  // xxencode differs by its alphabet only

// Whether `text` is a line of data: as many characters of the alphabet as the first one
// says.  Spaces at the end may have been lost; one or two more characters may be a
// checksum.  Most decoders of uuencode look at six bits of a character only.
bool is_uu_line(std::string_view text, UuAlphabet alphabet);

// Appends the bytes of such a line.
void uu_decode(std::string_view text, UuAlphabet alphabet, std::string& out);

// Whether `text` is a line of base64.
bool is_base64_line(std::string_view text);

}  // namespace mxfeed::mime
