// SPDX-License-Identifier: GPL-2.0-or-later
//
// Files that are encoded in the text of a part, line by line; for the walk of walker.h
// only.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/mail/mime/lines.h"
#include "common/mail/mime/notes.h"

namespace mxfeed::mime {

// Receives the files, one after the other.
class FileSink {
 public:
  virtual ~FileSink() = default;
  // Whether the file is wanted; if not, it gets no data.
  virtual bool begin_file(std::string_view name) = 0;
  virtual void file_data(std::string_view bytes) = 0;
  virtual void end_file() = 0;
};

// An encoding within text.
class InlineFile {
 public:
  virtual ~InlineFile() = default;

  enum class Step {
    more,  // the line was taken
    end,   // it was the last one
    cut,   // the line does not belong to the encoding, which has not ended as it should
    junk,  // the same, but some programs skip it and go on
    text,  // the line does not belong to it, but a later one may
  };
  virtual Step read(const Line& line, FileSink& sink) = 0;
  // No more lines will come; whether the encoding may end here.
  virtual bool finish(FileSink& sink);
  // Whether the last data may be longer than its encoding.
  virtual bool expands() const { return false; }
};

// Whether a line may begin an encoding whose next line shows whether it does: uuencode,
// xxencode, or base64 with a "begin-base64" line.
bool may_begin_file(std::string_view text);
// The encoding that the two lines begin; null for none.  The sink has got the file's
// beginning; read() takes the next line first.
std::unique_ptr<InlineFile> begin_file(std::string_view begin_line, std::string_view next,
                                       FileSink& sink, Notes& notes);
// The same for encodings that one line begins: yEnc and BinHex.  The sink gets the file's
// beginning with a line that read() takes; `line` is the first one.  `announced`: a line
// before has said that BinHex follows.
std::unique_ptr<InlineFile> begin_file(std::string_view line, bool announced);
// Whether the line says so.
bool announces_binhex(std::string_view line);

}  // namespace mxfeed::mime
