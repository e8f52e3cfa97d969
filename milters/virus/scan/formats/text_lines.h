// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds, line by line, what programs may decode in a text that is no mail, or in a file
// that has text in it.  Pure.

#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace mxfeed::virus {

// A part of the content, from its header on; or lines of base64 without a header.
struct TextSection {
  std::size_t begin;
  std::size_t end;
  bool has_header;
};

struct TextLines {
  bool has_header = false;  // the first lines name a type or an encoding
  bool has_file = false;    // uuencode, xxencode, yEnc or BinHex
  // What a header names as encoded, and base64 that no header names.  They do not
  // overlap, but for those without a delimiter behind them.
  std::vector<TextSection> sections;
};

TextLines read_text_lines(std::string_view content);

}  // namespace mxfeed::virus
