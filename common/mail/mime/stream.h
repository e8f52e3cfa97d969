// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lines with parts in them: the message, or an encoded message in a part of it; for the
// walk of walker.h only.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/mail/mime/decode.h"
#include "common/mail/mime/header_reader.h"
#include "common/mail/mime/lines.h"
#include "common/mail/mime/message_look.h"
#include "common/mail/mime/multipart.h"
#include "common/mail/mime/text_content.h"
#include "common/mail/mime/walker.h"

namespace mxfeed::mime {

// An open part.
struct Level {
  // Where decoded content goes besides, or instead of, to the visitor.
  enum class Feeds { nothing, stream_only, stream_too };

  explicit Level(Description found)
      : part(std::move(found.part)),
        decoder(part.encoding, !part.is_text() || !part.file_names.empty()) {}

  Part part;
  Decoder decoder;
  Feeds feeds = Feeds::nothing;  // the next stream
  std::optional<MultipartState> multipart;
  std::optional<TextContent> text;
  std::optional<MessageLook> look;  // until it is known whether a leaf is a message
};

struct Delimiter {
  std::size_t level;
  bool final;
  bool exact;
};

class Stream {
 public:
  enum class State { header, body, opaque };

  Stream(std::size_t place, std::size_t depth, const Limits& limits, Notes& notes)
      : index(place),
        base_depth(depth),
        header(limits.header_bytes, notes),
        cutter_(notes.reading.choice(Ambiguity::bare_cr) == 0) {}

  const std::size_t index;       // in Walker::Impl::streams
  const std::size_t base_depth;  // of its outermost part
  std::vector<std::unique_ptr<Level>> levels;
  State state = State::header;
  HeaderReader header;
  std::string held_end;  // of the last line: belongs to a delimiter if one follows
  // An empty line has come since the header began: what looks like a field is not one
  // that was taken for the beginning of the body.
  bool header_is_over = true;

  bool is_outermost() const { return index == 0; }
  Level& innermost() { return *levels.back(); }
  // The depth of a part that would begin now.
  std::size_t next_depth() const { return base_depth + levels.size(); }

  // Reads the caller's bytes without a copy; they must be used up before the next ones.
  void set_input(std::string_view bytes) { input_ = bytes; }
  // Copies the bytes.
  void append(std::string_view bytes) {
    buffer_.erase(0, buffer_.size() - input_.size());
    buffer_ += bytes;
    input_ = buffer_;
  }
  std::optional<Line> next_line() { return cutter_.next(input_); }
  std::optional<Line> rest() { return cutter_.rest(); }

  // The delimiter of an open multipart that `text` is: a line without its leading "--"
  // and the blanks at its end.
  std::optional<Delimiter> find_delimiter(std::string_view text) const;
  // Such a line was taken for a delimiter.
  void note_matches(std::string_view text);

 private:
  std::string buffer_;
  std::string_view input_;  // not yet cut; into the buffer, or the caller's chunk
  LineCutter cutter_;
};

}  // namespace mxfeed::mime
