// SPDX-License-Identifier: GPL-2.0-or-later
//
// The content of a text part with the uuencoded files in it; for the walk of walker.h
// only.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/mail/mime/lines.h"
#include "common/mail/mime/output.h"

namespace mxfeed::mime {

// Gives the text to the output as data of its part, and each uuencoded file as a part
// below it.
class TextContent {
 public:
  // Both must outlive it.
  TextContent(const Part& part, Output& output) : part_(part), output_(output) {}

  // Decoded bytes, cut anywhere.
  void read(std::string_view bytes);
  // Ends the text.
  void finish();

 private:
  void read_line(const Line& line);
  // Whether the line belonged to the open file; ends the file at its last line.
  bool read_file_line(const Line& line);
  bool begin_file(std::string_view begin_line);
  void end_file();

  const Part& part_;
  Output& output_;
  LineCutter cutter_;
  std::string begin_line_;      // "begin 644 x" until the next line shows what it is
  std::unique_ptr<Part> file_;  // the uuencoded part that is open
};

}  // namespace mxfeed::mime
