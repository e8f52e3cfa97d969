// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the Content-* fields of a header say of its part (RFC 2045, 2183); for the walk of
// walker.h only.  Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/mime/notes.h"
#include "common/mail/mime/walker.h"

namespace mxfeed::mime {

// The Content-* fields of one header.
struct Block {
  std::vector<std::string> types;
  std::vector<std::string> encodings;
  std::vector<std::string> dispositions;
  bool any = false;  // any line at all

  void add(std::string_view name, std::string_view value, Notes& notes);
};

struct Description {
  Part part;
  // Of a multipart: those that divide it.  Which is first is noted as choice
  // `first_boundary`, the next one as the next choice.
  std::vector<std::string> boundaries;
  unsigned first_boundary = 1;
  bool is_file = false;  // an encoded message that is saved rather than shown
  bool decodes = false;  // a container whose content has to be decoded first
};

// The part that the fields describe; `default_type` (RFC 2045, 5.2) if they do not say.
Description describe(const Block& block, std::string_view default_type, Notes& notes);

// The value of a Content-Transfer-Encoding; nothing if it is unknown.
std::optional<Encoding> parse_encoding(std::string_view value);

}  // namespace mxfeed::mime
