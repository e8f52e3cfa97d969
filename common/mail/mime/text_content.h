// SPDX-License-Identifier: GPL-2.0-or-later
//
// The content of a part with the encoded files in it; for the walk of walker.h only.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/mail/mime/inline_file.h"
#include "common/mail/mime/lines.h"
#include "common/mail/mime/output.h"

namespace mxfeed::mime {

// Gives the text to the output as data of its part, and each encoded file as a part below
// it.
class TextContent : private FileSink {
 public:
  // Both must outlive it.
  TextContent(const Part& part, Output& output);

  // Whether programs look for encoded files in a leaf: not in the decoded base64 of a
  // file.
  static bool may_hold_files(const Part& part);

  // Decoded bytes, cut anywhere.
  void read(std::string_view bytes);
  // Ends the text.
  void finish();

 private:
  void read_line(const Line& line);
  // Whether the line belonged to the open file.
  bool read_file_line(const Line& line);
  bool begin_file(std::string_view name) override;
  void file_data(std::string_view bytes) override;
  void end_file() override;

  const Part& part_;
  Output& output_;
  LineCutter cutter_;
  std::string begin_line_;            // until a later line shows what it is
  std::string empty_lines_;           // behind it
  bool announced_ = false;            // BinHex
  std::unique_ptr<InlineFile> file_;  // the encoding that is open
  std::unique_ptr<Part> file_part_;   // what it holds
};

}  // namespace mxfeed::mime
