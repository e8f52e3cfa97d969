// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the values of fields such as Content-Type, malformed ones too (RFC 2045, 2183,
// 2231).  Pure.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mxfeed::mime {

// The text without spaces and tabs at its end.
std::string_view without_trailing_blanks(std::string_view text);

// What stands before the first ';' in lower case without comments, and the parameters as
// Part gives them, in the order given.
struct ParameterisedValue {
  std::string value;
  std::vector<std::pair<std::string, std::string>> parameters;
  // Of the parameters "boundary": the bytes, and with what looked like a comment.
  std::vector<std::string> boundaries;
  bool duplicate = false;  // a parameter came twice with different values
};
ParameterisedValue parse_parameters(std::string_view field_value);

}  // namespace mxfeed::mime
