// SPDX-License-Identifier: GPL-2.0-or-later
//
// yEnc (yenc.org, draft 1.3), line by line; for the walk of walker.h only.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/mail/mime/inline_file.h"

namespace mxfeed::mime {

struct YencBegin {
  std::string_view name;
  bool more_parts = false;  // another "=ybegin" continues the file
};
// What a line "=ybegin line=128 size=68 name=x" says; nothing for any other line.
std::optional<YencBegin> yenc_begin(std::string_view line);

// Reads from the line "=ybegin" to "=yend".  The parts of a file in several parts are put
// together; there may be text between them.
class YencFile : public InlineFile {
 public:
  Step read(const Line& line, FileSink& sink) override;
  bool finish(FileSink& sink) override;

 private:
  Step read_control(std::string_view text, FileSink& sink);
  void decode(std::string_view text, std::string& out);

  enum class State { before, inside, between } state_ = State::before;
  std::string name_;
  bool more_parts_ = false;
  bool wanted_ = false;
  bool escaped_ = false;
};

}  // namespace mxfeed::mime
