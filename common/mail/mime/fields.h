// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the Content-* fields of a part, malformed ones too (RFC 2045, 2183, 2231); for
// the walk of walker.h only.  Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/mail/mime/walker.h"

namespace mxfeed::mime {

// The text without spaces and tabs at its end.
std::string_view without_trailing_blanks(std::string_view text);

// The Content-* fields of one header.
struct Block {
  std::vector<std::string> types;
  std::vector<std::string> encodings;
  std::vector<std::string> dispositions;
  Anomalies anomalies;
  bool any = false;  // any line at all

  void add(std::string_view name, std::string_view value);
};

struct Description {
  Part part;
  std::vector<std::string> boundaries;
  Anomalies anomalies;
};

// The part that the fields describe; `default_type` (RFC 2045, 5.2) if they do not say.
Description describe(const Block& block, std::string_view default_type);

// The value of a Content-Transfer-Encoding; nothing if it is unknown.
std::optional<Encoding> parse_encoding(std::string_view value);

// The value of a field such as Content-Type: what stands before the first ';' in lower
// case without comments, and the parameters as Part gives them, in the order given.
struct ParameterisedValue {
  std::string value;
  std::vector<std::pair<std::string, std::string>> parameters;
  bool duplicate = false;  // a parameter came twice with different values
};
ParameterisedValue parse_parameters(std::string_view field_value);

}  // namespace mxfeed::mime
